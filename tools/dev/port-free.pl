#!/usr/bin/perl
# Whether a TCP port can be listened on; says why not. usage: port-free.pl ADDRESS PORT
# Port 0: prints one that is free.
use strict;
use warnings;
use Socket;

my ($address, $port) = @ARGV;
socket my $s, PF_INET, SOCK_STREAM, 0 or die "$!\n";
setsockopt $s, SOL_SOCKET, SO_REUSEADDR, 1;
unless (bind $s, pack_sockaddr_in($port, inet_aton($address))) {
	my %why = (EADDRINUSE => 'another program listens on it', EACCES => 'only root may listen below 1024');
	my ($name) = grep { $!{$_} } keys %why;
	print $name ? $why{$name} : "$!";
	exit 1;
}
listen $s, 1 or do { print 'another program listens on it'; exit 1 };
print +(unpack_sockaddr_in(getsockname $s))[0], "\n" if $port == 0;
