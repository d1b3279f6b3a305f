-- What the import reads of the old system's database, with the names and types that Flowable 7 gives its columns.
CREATE TABLE act_ge_bytearray (id_ varchar(64) PRIMARY KEY, rev_ integer, name_ varchar(255), bytes_ bytea);
CREATE TABLE act_ru_execution (
  id_ varchar(64) PRIMARY KEY, rev_ integer, proc_inst_id_ varchar(64), business_key_ varchar(255), parent_id_ varchar(64),
  proc_def_id_ varchar(64), act_id_ varchar(255), is_active_ boolean, start_time_ timestamp);
CREATE INDEX ON act_ru_execution (proc_inst_id_);
CREATE TABLE act_ru_variable (
  id_ varchar(64) PRIMARY KEY, rev_ integer, type_ varchar(255) NOT NULL, name_ varchar(255) NOT NULL, execution_id_ varchar(64),
  proc_inst_id_ varchar(64), bytearray_id_ varchar(64), double_ double precision, long_ bigint, text_ varchar(4000),
  text2_ varchar(4000));
CREATE INDEX ON act_ru_variable (proc_inst_id_);
CREATE TABLE act_ru_timer_job (
  id_ varchar(64) PRIMARY KEY, lock_exp_time_ timestamp, lock_owner_ varchar(255), execution_id_ varchar(64),
  process_instance_id_ varchar(64), duedate_ timestamp, handler_type_ varchar(255), handler_cfg_ varchar(4000));
CREATE TABLE act_ru_job (LIKE act_ru_timer_job INCLUDING ALL);
CREATE TABLE act_hi_procinst (
  id_ varchar(64) PRIMARY KEY, proc_inst_id_ varchar(64) NOT NULL, proc_def_id_ varchar(64) NOT NULL,
  start_time_ timestamp NOT NULL, end_time_ timestamp);
CREATE TABLE act_hi_varinst (
  id_ varchar(64) PRIMARY KEY, proc_inst_id_ varchar(64), name_ varchar(255) NOT NULL, var_type_ varchar(100),
  bytearray_id_ varchar(64), long_ bigint, text_ varchar(4000));
CREATE INDEX ON act_hi_varinst (proc_inst_id_);
CREATE TABLE act_id_user (
  id_ varchar(64) PRIMARY KEY, first_ varchar(255), last_ varchar(255), email_ varchar(255), pwd_ varchar(255));
CREATE TABLE act_id_group (id_ varchar(64) PRIMARY KEY, name_ varchar(255), type_ varchar(255));
CREATE TABLE act_id_membership (user_id_ varchar(64), group_id_ varchar(64), PRIMARY KEY (user_id_, group_id_));

-- One SMS as the old system keeps it; `places` are where it waits. A null is a row of type null, as an absent value is.
CREATE FUNCTION old_sms(id text, client text, batch text, key text, target text, schedule text, payload text,
                        status text DEFAULT 'SCHEDULED', retries integer DEFAULT 0,
                        places text[] DEFAULT '{schedulerTimer,recvCancel}') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  place text;
BEGIN
  INSERT INTO act_ru_execution (id_, proc_inst_id_, proc_def_id_, start_time_)
    VALUES (id, id, 'smsSchedulerProcess:1:7d1b', now());
  FOREACH place IN ARRAY places LOOP
    INSERT INTO act_ru_execution (id_, proc_inst_id_, parent_id_, proc_def_id_, act_id_)
      VALUES (id || '.' || place, id, id, 'smsSchedulerProcess:1:7d1b', place);
  END LOOP;
  INSERT INTO act_ru_variable (id_, type_, name_, execution_id_, proc_inst_id_, text_)
    SELECT id || '.' || name, CASE WHEN value IS NULL THEN 'null' ELSE 'string' END, name, id, id, value
    FROM (VALUES ('clientId', client), ('batchId', batch), ('clientKey', key), ('targetId', target), ('schedule', schedule),
                 ('payload', payload), ('userId', 'ward7'), ('smsStatus', status)) AS v (name, value);
  INSERT INTO act_ru_variable (id_, type_, name_, execution_id_, proc_inst_id_, long_)
    VALUES (id || '.smsRetries', 'integer', 'smsRetries', id, id, retries),
           (id || '.smsDueTime', 'instant', 'smsDueTime', id, id, 1900000000000);
END $$;

CREATE FUNCTION old_block(id text, client text, target text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO act_hi_procinst VALUES (id, id, 'blockTargetProcess:1:7d1c', now(), now());
  INSERT INTO act_hi_varinst (id_, proc_inst_id_, name_, var_type_, text_)
    VALUES (id || '.c', id, 'clientId', 'string', client), (id || '.t', id, 'targetId', 'string', target);
$$;
