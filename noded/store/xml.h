/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORE_XML_H
#define FELLOE_STORE_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"
#include "shared/list.h"

/* The answers of an S3 server: the file that knows expat. One structure holds
 * what any of them says; members that a document does not speak of stay empty. */

struct xml_item {
	char *key;           /* decoded */
	uint64_t size;       /* of an object */
	char *upload_id;     /* of a multipart upload */
	int64_t initiated;   /* ms */
};

struct xml_reply {
	char root[48];       /* "Error", "ListBucketResult" ... */
	char code[80], message[240], region[40]; /* Error */
	char *upload_id;     /* InitiateMultipartUploadResult */
	char *etag;          /* CompleteMultipartUploadResult; some servers leave it empty */
	struct { LIST_OF(struct xml_item); } items;
	bool truncated;
	char *next_token;    /* ListBucketResult: NextContinuationToken */
	char *next_key, *next_upload; /* ListMultipartUploadsResult: NextKeyMarker, NextUploadIdMarker */
	bool url_encoded;    /* keys came with encoding-type=url (here they are decoded) */
};

/* Read a document. ERR_STORAGE when it is not well-formed, has a DOCTYPE (thus
 * any entity declaration), nests deeper than 16, or holds a text over 16 KiB or
 * over 10,000 items. An unknown root is no error. */
int xml_parse(struct xml_reply *ret, const char *text, size_t len, struct err *e) MUSTCHECK;
void xml_reply_done(struct xml_reply *r);

#endif
