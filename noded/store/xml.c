/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { DEPTH_MAX = 16, TEXT_MAX = 16 << 10, ITEMS_MAX = 10000, PATH_MAX_LEN = 512 };

struct reader {
	XML_Parser parser;
	struct xml_reply *reply;
	struct buf path;     /* "Error/Code" */
	size_t starts[DEPTH_MAX + 1]; /* length of path outside each open element */
	unsigned depth;
	struct buf text;
	const char *refusal; /* why reading was stopped */
};

static void refuse(struct reader *r, const char *why)
{
	r->refusal = why;
	XML_StopParser(r->parser, XML_FALSE);
}

/* ---- what each element means */

static struct xml_item *last_item(struct reader *r)
{
	return r->reply->items.n ? &r->reply->items.v[r->reply->items.n - 1] : NULL;
}

static void replace(char **to, const char *text)
{
	free(*to);
	*to = xstrdup(text);
}

static void set_code(struct reader *r, const char *text)
{
	str_cut(r->reply->code, sizeof(r->reply->code), text);
}

static void set_message(struct reader *r, const char *text)
{
	str_cut(r->reply->message, sizeof(r->reply->message), text);
}

static void set_region(struct reader *r, const char *text)
{
	str_cut(r->reply->region, sizeof(r->reply->region), text);
}

static void set_upload_id(struct reader *r, const char *text)
{
	replace(&r->reply->upload_id, text);
}

static void set_etag(struct reader *r, const char *text)
{
	replace(&r->reply->etag, text);
}

static void set_truncated(struct reader *r, const char *text)
{
	r->reply->truncated = str_eq(text, "true");
}

static void set_encoding(struct reader *r, const char *text)
{
	r->reply->url_encoded = str_eq(text, "url");
}

static void set_next_token(struct reader *r, const char *text)
{
	replace(&r->reply->next_token, text);
}

static void set_next_key(struct reader *r, const char *text)
{
	replace(&r->reply->next_key, text);
}

static void set_next_upload(struct reader *r, const char *text)
{
	replace(&r->reply->next_upload, text);
}

static void set_item_key(struct reader *r, const char *text)
{
	replace(&last_item(r)->key, text);
}

static void set_item_size(struct reader *r, const char *text)
{
	if (str_to_u64(&last_item(r)->size, text, 0, INT64_MAX))
		refuse(r, "an object's size is not a number");
}

static void set_item_upload(struct reader *r, const char *text)
{
	replace(&last_item(r)->upload_id, text);
}

static void set_item_initiated(struct reader *r, const char *text)
{
	if (clock_parse(&last_item(r)->initiated, text))
		last_item(r)->initiated = 0;
}

/* The parents Contents and Upload open an item, so that last_item is there. */
static const struct {
	const char *path;
	void (*set)(struct reader *r, const char *text);
} meanings[] = {
	{"Error/Code", set_code},
	{"Error/Message", set_message},
	{"Error/Region", set_region},
	{"InitiateMultipartUploadResult/UploadId", set_upload_id},
	{"CompleteMultipartUploadResult/ETag", set_etag},
	{"ListBucketResult/EncodingType", set_encoding},
	{"ListBucketResult/IsTruncated", set_truncated},
	{"ListBucketResult/NextContinuationToken", set_next_token},
	{"ListBucketResult/Contents/Key", set_item_key},
	{"ListBucketResult/Contents/Size", set_item_size},
	{"ListMultipartUploadsResult/EncodingType", set_encoding},
	{"ListMultipartUploadsResult/IsTruncated", set_truncated},
	{"ListMultipartUploadsResult/NextKeyMarker", set_next_key},
	{"ListMultipartUploadsResult/NextUploadIdMarker", set_next_upload},
	{"ListMultipartUploadsResult/Upload/Key", set_item_key},
	{"ListMultipartUploadsResult/Upload/UploadId", set_item_upload},
	{"ListMultipartUploadsResult/Upload/Initiated", set_item_initiated},
};

/* ---- expat's calls */

static void on_start(void *ctx, const char *name, const char **attributes)
{
	struct reader *r = ctx;
	const char *colon = strrchr(name, ':');

	(void)attributes;
	if (r->depth >= DEPTH_MAX) {
		refuse(r, "elements are nested too deep");
		return;
	}
	r->starts[r->depth++] = r->path.len;
	if (r->path.len)
		buf_addc(&r->path, '/');
	buf_adds(&r->path, colon ? colon + 1 : name);
	buf_reset(&r->text);
	if (r->path.over) {
		refuse(r, "names of elements are too long");
		return;
	}
	if (r->depth == 1)
		str_cut(r->reply->root, sizeof(r->reply->root), r->path.p);
	if (!str_eq(r->path.p, "ListBucketResult/Contents") && !str_eq(r->path.p, "ListMultipartUploadsResult/Upload"))
		return;
	if (r->reply->items.n >= ITEMS_MAX)
		refuse(r, "there are too many entries");
	else
		list_push(&r->reply->items);
}

static void on_end(void *ctx, const char *name)
{
	struct reader *r = ctx;

	(void)name;
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (str_eq(meanings[i].path, r->path.p))
			meanings[i].set(r, r->text.p);
	buf_reset(&r->text);
	r->path.len = r->starts[--r->depth];
	r->path.p[r->path.len] = '\0';
}

static void on_text(void *ctx, const char *p, int n)
{
	struct reader *r = ctx;

	buf_add(&r->text, p, (size_t)n);
	if (r->text.over)
		refuse(r, "a text is too long");
}

static void on_doctype(void *ctx, const char *name, const char *sysid, const char *pubid, int internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	refuse(ctx, "it has a DOCTYPE");
}

/* ---- keys as URL text */

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* In place. AWS and MinIO write a space as "+", Ceph and Swift as %20; all of
 * them write a plus sign as %2B, so "+" can only be a space. */
static void url_decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '%' && hex_value(s[1]) >= 0 && hex_value(s[2]) >= 0) {
			*to++ = (char)(hex_value(s[1]) << 4 | hex_value(s[2]));
			s += 2;
		} else {
			*to++ = *s == '+' ? ' ' : *s;
		}
	}
	*to = '\0';
}

static int finish(struct reader *r, struct err *e)
{
	struct xml_reply *x = r->reply;

	for (size_t i = 0; i < x->items.n; i++) {
		if (!x->items.v[i].key)
			return err_set(e, ERR_STORAGE, "the storage's answer has an entry without a key");
		if (x->url_encoded)
			url_decode(x->items.v[i].key);
	}
	if (x->url_encoded && x->next_key)
		url_decode(x->next_key);
	str_clean(x->root);
	str_clean(x->code);
	str_clean(x->message);
	str_clean(x->region);
	return 0;
}

static int run(struct reader *r, const char *text, size_t len, struct err *e)
{
	if (len > INT32_MAX)
		return err_set(e, ERR_STORAGE, "the storage's answer is too long");
	if (XML_Parse(r->parser, text, (int)len, 1) != XML_STATUS_OK || r->refusal)
		return err_set(e, ERR_STORAGE, "the storage's answer cannot be read as XML: %s (line %lu)",
			       r->refusal ? r->refusal : XML_ErrorString(XML_GetErrorCode(r->parser)),
			       (unsigned long)XML_GetCurrentLineNumber(r->parser));
	return finish(r, e);
}

int xml_parse(struct xml_reply *ret, const char *text, size_t len, struct err *e)
{
	struct xml_reply reply = {0};
	struct reader r = {.reply = &reply};
	int result;

	r.parser = XML_ParserCreate("UTF-8");
	if (!r.parser)
		return err_set(e, ERR_INTERNAL, "expat gives no parser");
	buf_init(&r.path, PATH_MAX_LEN);
	buf_init(&r.text, TEXT_MAX);
	buf_adds(&r.path, ""); /* gives path.p memory of its own */
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	result = run(&r, text, len, e);
	XML_ParserFree(r.parser);
	buf_done(&r.path);
	buf_done(&r.text);
	if (result)
		xml_reply_done(&reply);
	else
		*ret = reply;
	return result;
}

void xml_reply_done(struct xml_reply *r)
{
	for (size_t i = 0; i < r->items.n; i++) {
		free(r->items.v[i].key);
		free(r->items.v[i].upload_id);
	}
	list_done(&r->items);
	free(r->upload_id);
	free(r->etag);
	free(r->next_token);
	free(r->next_key);
	free(r->next_upload);
	*r = (struct xml_reply){0};
}
