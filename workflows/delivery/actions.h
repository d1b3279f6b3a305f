// What the guards ask and the rows of the table do. One small function each; all read and write one Moment.
// Private to the machine.
#pragma once

#include "workflows/delivery/moment.h"

namespace smsflow::workflows::delivery {

namespace guards {
bool TargetBlocked(Moment& moment);  // in the membership set, at this moment
bool SlotLeft(Moment& moment);       // the next attempt has a window
bool SlotOpen(Moment& moment);       // the window that it was due in is still open
bool LastUnknown(Moment& moment);    // nobody can tell what became of the latest attempt
bool NotStopped(Moment& moment);
bool WasCanceled(Moment& moment);  // too late for the attempt in flight, but no other may follow
bool WasBlocked(Moment& moment);
bool MayRetry(Moment& moment);      // not stopped, payload there, attempts and slots left
bool RetryUnknown(Moment& moment);  // the policy says so, and it may
bool RetryByHand(Moment& moment);   // as MayRetry, but beyond max_attempts and without the wait
bool NewSlotLeft(Moment& moment);   // with the slots of a Reschedule
bool OpenNow(Moment& moment);       // not due yet, but a slot is open
}  // namespace guards

namespace actions {
void Plan(Moment& moment);      // due and slot_end for the next attempt
void SkipSlot(Moment& moment);  // the same, because the slot passed while it waited
void Leave(Moment& moment);     // hands attempt n + 1 over: the point of no return
void Ask(Moment& moment);       // probes the gateway
void Listen(Moment& moment);    // it was ACCEPTED: asks again after a silence
void AwaitReceipt(Moment& moment);
void Record(Moment& moment);       // what a report raised is noted, and nothing else follows
void Doubt(Moment& moment);        // over for its user; the payload stays while a retry may need it
void MissReceipt(Moment& moment);  // the same
void Erase(Moment& moment);        // the payload
void Deliver(Moment& moment);
void Expire(Moment& moment);
void MarkCanceled(Moment& moment);  // ends as CANCELED
void MarkBlocked(Moment& moment);   // ends as BLOCKED
void Invalidate(Moment& moment);
void ForbidByCancel(Moment& moment);  // TOO_LATE: no further attempt
void ForbidByBlock(Moment& moment);
void Replan(Moment& moment);  // a Reschedule
void Hurry(Moment& moment);   // due now
void GiveUp(Moment& moment);
void ResolveDelivered(Moment& moment);
}  // namespace actions

}  // namespace smsflow::workflows::delivery
