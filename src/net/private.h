#ifndef STINT_NET_PRIVATE_H
#define STINT_NET_PRIVATE_H
/* Between the files of net/ alone. */
#include <curl/curl.h>
#include <stdbool.h>

#include "net/address.h"
#include "net/net.h"

#define NET_AGENT "Stint"

struct net {
	const struct conf *conf;
	const struct net_allow *allow;
	const char *ehlo; /* how Stint greets a mail server: the host of public_url */
};

/* What every connection of this house keeps to, whatever the protocol. NULL is no handle; it goes with mem. */
CURL *net_handle(void *mem, const char *ca_file);
/* A list of curl's that goes with mem. */
struct curl_slist *net_list(void *mem, struct curl_slist *list);
/* What libcurl's result means when nothing of ours explains it better. */
enum net_error net_error_of(CURLcode code);
#endif
