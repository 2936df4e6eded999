#!/usr/bin/perl
# Asks over a unix socket whether a path answers 200. usage: http-ready.pl SOCKET PATH
use strict;
use warnings;
use IO::Socket::UNIX;

my ($path, $url) = @ARGV;
local $SIG{ALRM} = sub { exit 1 };
alarm 5;
my $socket = IO::Socket::UNIX->new(Peer => $path) or exit 1;
print {$socket} "GET $url HTTP/1.0\r\nHost: localhost\r\n\r\n";
my $line = <$socket> // '';
exit($line =~ m{^HTTP/1\.\d 200 } ? 0 : 1);
