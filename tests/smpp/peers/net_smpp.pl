#!/usr/bin/perl
# Net::SMPP as client of smsflow-smsc, and as the SMSC of the gateway's link.
# usage: net_smpp.pl SMSFLOW-SMSC SMPP-LINK
use strict;
use warnings;
use IPC::Open3;
use Symbol 'gensym';

unless (eval { require Net::SMPP; 1 }) {
  print "skipped: Net::SMPP is not installed; tools/dev test does it\n";
  exit 77;
}
my ($smsc, $link) = @ARGV;
my $COUNT = 20;
my $child;
$SIG{ALRM} = sub { kill 'TERM', $child if $child; die "not done in time\n" };
alarm 60;

sub check { my ($holds, $what) = @_; unless ($holds) { kill 'TERM', $child if $child; die "broken: $what\n" } }

sub as_client {
  my $err = gensym;
  $child = open3(my $in, my $truth, $err, $smsc, '--listen', '127.0.0.1:0', '--seconds', '60');
  my ($port) = <$err> =~ /port (\d+)/;
  my ($smpp, $bound) = Net::SMPP->new_transceiver('127.0.0.1', port => $port, system_id => 'esme', password => 'x');
  check($bound->{status} == 0 && $bound->{system_id} eq 'smsflow-smsc', 'bind_transceiver');
  my %ids;
  for my $i (1 .. $COUNT) {
    my $resp = $smpp->submit_sm(source_addr_ton => 5, source_addr => 'CLINIC', dest_addr_ton => 1, dest_addr_npi => 1,
      destination_addr => 255700000000 + $i, registered_delivery => 1, validity_period => '000001000000000R',
      short_message => "SMS $i") or die 'no response';
    check($resp->{cmd} == 0x80000004 && $resp->{status} == 0, 'submit_sm');
    $ids{$resp->{message_id}} = 0;
  }
  while (grep { !$_ } values %ids) {
    my $pdu = $smpp->read_pdu() or die 'no receipt';
    receipt($smpp, $pdu, \%ids);
  }
  check(keys %ids == $COUNT, 'as many ids as submits');
  my $unbound = $smpp->unbind();
  check($unbound->{status} == 0, 'unbind');
  kill 'TERM', $child;
  my @submits = grep { /"event":"submit"/ } <$truth>;
  waitpid $child, 0;
  undef $child;
  check(@submits == $COUNT, 'the truth has every submit');
  check($submits[$_ - 1] =~ sprintf('"destination":"%d"', 255700000000 + $_), "submit $_") for 1 .. $COUNT;
}

sub receipt {
  my ($smpp, $pdu, $ids) = @_;
  check($pdu->{cmd} == 5 && $pdu->{esm_class} == 4, 'a receipt is a deliver_sm');
  my ($id, $stat) = $pdu->{short_message} =~ /^id:(\d+) .* stat:(\w+) /;
  check($stat eq 'DELIVRD', 'a receipt');
  $ids->{$id}++;
  $smpp->deliver_sm_resp(seq => $pdu->{seq}, message_id => '');
}

sub as_smsc {
  my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0, smpp_version => 0x34, interface_version => 0x34,
    addr_ton => 0, addr_npi => 0, listen => 5) or die "cannot listen: $!";
  my $port = $listener->sockport;
  my $err = gensym;
  $child = open3(my $in, my $out, $err, $link, $port, $COUNT);
  my $session = $listener->accept or die 'no connection';
  my ($took, $answered) = (0, 0);
  while (my $pdu = $session->read_pdu()) {
    my %seq = (seq => $pdu->{seq});
    if ($pdu->{cmd} == 9) {
      check($pdu->{system_id} eq 'smsflow' && $pdu->{password} eq 'secret', 'bind_transceiver');
      $session->bind_transceiver_resp(system_id => 'perl', %seq);
    } elsif ($pdu->{cmd} == 4) {
      $took++;
      check($pdu->{destination_addr} == 255700000000 + $took, "destination of submit $took");
      $session->submit_sm_resp(message_id => "id$took", %seq);
      $session->deliver_sm(esm_class => 4, source_addr => $pdu->{destination_addr}, destination_addr => 'CLINIC',
        async => 1, short_message => "id:id$took sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 "
          . 'stat:DELIVRD err:000 text:');
    } elsif ($pdu->{cmd} == 0x80000005) {
      check($pdu->{status} == 0, 'deliver_sm_resp');
      $answered++;
    } elsif ($pdu->{cmd} == 0x15) {
      $session->enquire_link_resp(%seq);
    } elsif ($pdu->{cmd} == 6) {
      $session->unbind_resp(%seq);
      last;
    }
  }
  my @told = <$out>;
  waitpid $child, 0;
  undef $child;
  check($? == 0, "the link ends well: @told");
  check($took == $COUNT && $answered == $COUNT, 'every submit and every receipt');
  check((grep { /^outcome \d+ 0 0 id\d+$/ } @told) == $COUNT, 'every outcome');
  check((grep { /^receipt id\d+ - DELIVRD$/ } @told) == $COUNT, 'every receipt told');
}

as_client();
as_smsc();
print "$COUNT submits each way\n";
