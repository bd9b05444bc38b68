/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/files/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

enum {
	PAX_MAX = 4 << 20,      /* records of one member, mostly extended attributes */
	NAME_LEN = 100, UNAME_LEN = 32,
	OCTAL7_MAX = 07777777,
	NS = 1000000000,
};
#define OCTAL11_MAX INT64_C(077777777777)

/* POSIX.1-2017 pax, "ustar Interchange Format": all fields are text */
struct ustar {
	char name[NAME_LEN], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag, linkname[NAME_LEN];
	char magic[6], version[2], uname[UNAME_LEN], gname[UNAME_LEN], devmajor[8], devminor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a header is a block");

void tar_entry_done(struct tar_entry *t)
{
	for (size_t i = 0; i < t->xattrs.n; i++) {
		free(t->xattrs.v[i].name);
		free(t->xattrs.v[i].value);
	}
	list_done(&t->xattrs);
	free(t->name);
	free(t->uname);
	free(t->gname);
	free(t->link);
	*t = (struct tar_entry){0};
}

size_t tar_padding(uint64_t size)
{
	return (size_t)(-size & (TAR_BLOCK - 1));
}

static void put_zeros(struct buf *b, size_t n)
{
	char *at = buf_room(b, n);

	if (!at)
		return;
	memset(at, 0, n);
	buf_grew(b, n);
}

/* ---- writing */

/* "LEN KEY=VALUE\n", where LEN counts itself */
static void put_record(struct buf *b, const char *key, const void *value, size_t n)
{
	size_t rest = 1 + strlen(key) + 1 + n + 1, digits = 1;

	for (size_t limit = 10; rest + digits >= limit; limit *= 10)
		digits++;
	buf_addf(b, "%zu %s=", rest + digits, key);
	buf_add(b, value, n);
	buf_addc(b, '\n');
}

static void put_record_u64(struct buf *b, const char *key, uint64_t v)
{
	char text[24];

	put_record(b, key, text, (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)v));
}

/* seconds since 1970, a sign in front of the whole */
static void put_record_time(struct buf *b, const char *key, int64_t ns)
{
	uint64_t abs = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char text[40];
	int n = snprintf(text, sizeof(text), "%s%llu.%09llu", ns < 0 ? "-" : "", (unsigned long long)(abs / NS),
			 (unsigned long long)(abs % NS));

	put_record(b, key, text, (size_t)n);
}

/* "=" would end the keyword: %3D, and "%" itself %25, as GNU tar does */
static void put_xattr(struct buf *b, const struct tar_xattr *x)
{
	struct buf key;

	buf_init(&key, 4096);
	buf_adds(&key, "SCHILY.xattr.");
	for (const char *p = x->name; *p; p++)
		if (*p == '=' || *p == '%')
			buf_addf(&key, "%%%02X", (unsigned)*p);
		else
			buf_addc(&key, *p);
	put_record(b, key.p, x->value, x->len);
	buf_done(&key);
}

static bool octal_time(int64_t ns)
{
	return ns >= 0 && ns % NS == 0 && ns / NS <= OCTAL11_MAX;
}

/* the records that the ustar header cannot carry */
static void put_records(struct buf *b, const struct tar_entry *t, const char *name)
{
	bool long_name = strlen(name) > NAME_LEN || t->sparse, long_link = t->link && strlen(t->link) > NAME_LEN;

	/* records are UTF-8 unless this one says otherwise (pax(1)) */
	if ((long_name && !str_utf8_valid(t->name, strlen(t->name))) ||
	    (long_link && !str_utf8_valid(t->link, strlen(t->link))))
		put_record(b, "hdrcharset", "BINARY", 6);
	if (t->sparse) {
		put_record(b, "GNU.sparse.major", "1", 1);
		put_record(b, "GNU.sparse.minor", "0", 1);
		put_record(b, "GNU.sparse.name", t->name, strlen(t->name));
		put_record_u64(b, "GNU.sparse.realsize", t->real_size);
	} else if (long_name) {
		put_record(b, "path", name, strlen(name));
	}
	if (long_link)
		put_record(b, "linkpath", t->link, strlen(t->link));
	if (t->size > (uint64_t)OCTAL11_MAX)
		put_record_u64(b, "size", t->size);
	if (!octal_time(t->mtime_ns))
		put_record_time(b, "mtime", t->mtime_ns);
	if (t->uid > OCTAL7_MAX)
		put_record_u64(b, "uid", t->uid);
	if (t->gid > OCTAL7_MAX)
		put_record_u64(b, "gid", t->gid);
	if (t->uname && strlen(t->uname) >= UNAME_LEN)
		put_record(b, "uname", t->uname, strlen(t->uname));
	if (t->gname && strlen(t->gname) >= UNAME_LEN)
		put_record(b, "gname", t->gname, strlen(t->gname));
	for (size_t i = 0; i < t->xattrs.n; i++)
		put_xattr(b, &t->xattrs.v[i]);
}

static void put_octal(char *field, size_t size, uint64_t v)
{
	field[--size] = '\0';
	while (size > 0) {
		field[--size] = (char)('0' + (v & 7));
		v >>= 3;
	}
}

/* as much of s as the field holds; a pax record has the rest */
static void put_text(char *field, size_t size, const char *s)
{
	memcpy(field, s, strnlen(s, size));
}

static unsigned checksum(const struct ustar *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= offsetof(struct ustar, chksum) && i < offsetof(struct ustar, typeflag) ? ' ' : p[i];
	return sum;
}

static void put_block(struct buf *b, const struct tar_entry *t, const char *name, char type)
{
	struct ustar h = {.magic = "ustar", .version = {'0', '0'}, .typeflag = type};
	int64_t s = t->mtime_ns / NS;

	put_text(h.name, sizeof(h.name), name);
	put_octal(h.mode, sizeof(h.mode), t->mode & 07777);
	put_octal(h.uid, sizeof(h.uid), t->uid > OCTAL7_MAX ? 0 : t->uid);
	put_octal(h.gid, sizeof(h.gid), t->gid > OCTAL7_MAX ? 0 : t->gid);
	put_octal(h.size, sizeof(h.size), t->size > (uint64_t)OCTAL11_MAX ? 0 : t->size);
	put_octal(h.mtime, sizeof(h.mtime), s < 0 || s > OCTAL11_MAX ? 0 : (uint64_t)s);
	if (t->link)
		put_text(h.linkname, sizeof(h.linkname), t->link);
	if (t->uname)
		put_text(h.uname, sizeof(h.uname) - 1, t->uname);
	if (t->gname)
		put_text(h.gname, sizeof(h.gname) - 1, t->gname);
	put_octal(h.devmajor, sizeof(h.devmajor), t->dev_major & OCTAL7_MAX);
	put_octal(h.devminor, sizeof(h.devminor), t->dev_minor & OCTAL7_MAX);
	put_octal(h.chksum, sizeof(h.chksum) - 1, checksum(&h));
	h.chksum[7] = ' ';
	buf_add(b, &h, sizeof(h));
}

void tar_put_header(struct buf *b, const struct tar_entry *t)
{
	CLEANUP(freep) char *name = NULL;
	const char *base = strrchr(t->name, '/');
	struct buf records;

	if (t->sparse) /* a reader that does not know the format keeps the parts under a name that says so */
		name = xasprintf("%.*sGNUSparseFile.0/%s", base ? (int)(base + 1 - t->name) : 0, t->name,
				 base ? base + 1 : t->name);
	else
		name = xasprintf("%s%s", t->name, t->type == '5' ? "/" : "");
	buf_init(&records, PAX_MAX);
	put_records(&records, t, name);
	if (records.len) {
		struct tar_entry x = {.mode = 0644, .size = records.len, .mtime_ns = t->mtime_ns};
		char xname[NAME_LEN];

		snprintf(xname, sizeof(xname), "PaxHeaders/%.80s", base && base[1] ? base + 1 : t->name);
		put_block(b, &x, xname, 'x');
		buf_add(b, records.p, records.len);
		put_zeros(b, tar_padding(records.len));
		b->over = b->over || records.over;
	}
	buf_done(&records);
	put_block(b, t, name, t->type);
}

void tar_put_map(struct buf *b, const struct tar_run *runs, size_t n)
{
	size_t start = b->len;

	buf_addf(b, "%zu\n", n);
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%llu\n%llu\n", (unsigned long long)runs[i].offset, (unsigned long long)runs[i].len);
	put_zeros(b, tar_padding(b->len - start));
}

/* ---- reading */

static int get_octal(uint64_t *ret, const char *field, size_t size)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(field[i] - '0');
	for (; i < size; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return -1;
	*ret = v;
	return 0;
}

/* "12", "-3.25", as far as nanoseconds go */
static int get_time(int64_t *ret, const char *s)
{
	bool minus = *s == '-';
	int64_t sec = 0, ns = 0, scale = NS / 10;

	s += minus;
	if (*s < '0' || *s > '9')
		return -1;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (sec > INT64_MAX / NS / 10 - 10)
			return -1;
		sec = sec * 10 + (*s - '0');
	}
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, scale /= 10)
			ns += (*s - '0') * scale;
	if (*s)
		return -1;
	*ret = minus ? -(sec * NS + ns) : sec * NS + ns;
	return 0;
}

static void set_text(char **to, const char *from)
{
	free(*to);
	*to = xstrdup(from);
}

static void add_xattr(struct tar_entry *t, const char *key, const void *value, size_t n)
{
	struct tar_xattr *x = list_push(&t->xattrs);
	char *to = xmalloc(strlen(key) + 1);

	x->name = to;
	for (; *key; key++)
		if (strncmp(key, "%3D", 3) == 0 || strncmp(key, "%25", 3) == 0) {
			*to++ = key[1] == '3' ? '=' : '%';
			key += 2;
		} else {
			*to++ = *key;
		}
	*to = '\0';
	x->value = xmemdup(value, n);
	x->len = n;
}

/* what the pax records say; it goes over the ustar fields */
struct pax {
	struct tar_entry t;
	bool size, mtime, uid, gid;
};

static int pax_record(struct pax *x, const char *key, const char *value, size_t n, struct err *e)
{
	struct tar_entry *t = &x->t;
	uint64_t v = 0;

	if (str_starts(key, "SCHILY.xattr.")) {
		add_xattr(t, key + strlen("SCHILY.xattr."), value, n);
		return 0;
	}
	if (strlen(value) != n)
		return err_set(e, ERR_DAMAGED, "tar header: a NUL in %s", key);
	if (str_eq(key, "path") && !t->sparse)
		set_text(&t->name, value);
	else if (str_eq(key, "GNU.sparse.name"))
		set_text(&t->name, value);
	else if (str_eq(key, "linkpath"))
		set_text(&t->link, value);
	else if (str_eq(key, "uname"))
		set_text(&t->uname, value);
	else if (str_eq(key, "gname"))
		set_text(&t->gname, value);
	else if (str_eq(key, "GNU.sparse.major") || str_eq(key, "GNU.sparse.minor"))
		t->sparse = true;
	else if (str_eq(key, "mtime") && get_time(&t->mtime_ns, value) == 0)
		x->mtime = true;
	else if (str_eq(key, "size") && str_to_u64(&t->size, value, 0, INT64_MAX) == 0)
		x->size = true;
	else if (str_eq(key, "GNU.sparse.realsize") && str_to_u64(&t->real_size, value, 0, INT64_MAX) == 0)
		t->sparse = true;
	else if (str_eq(key, "uid") && str_to_u64(&v, value, 0, UINT32_MAX) == 0)
		x->uid = true, t->uid = (uid_t)v;
	else if (str_eq(key, "gid") && str_to_u64(&v, value, 0, UINT32_MAX) == 0)
		x->gid = true, t->gid = (gid_t)v;
	else if (str_eq(key, "mtime") || str_eq(key, "size") || str_eq(key, "GNU.sparse.realsize") ||
		 str_eq(key, "uid") || str_eq(key, "gid"))
		return err_set(e, ERR_DAMAGED, "tar header: %s is \"%.40s\"", key, value);
	return 0;
}

static int pax_records(struct pax *x, const char *p, size_t n, struct err *e)
{
	while (n) {
		size_t len = 0, digits = 0;
		const char *eq;

		for (; digits < n && digits < 8 && p[digits] >= '0' && p[digits] <= '9'; digits++)
			len = len * 10 + (size_t)(p[digits] - '0');
		if (len > n || len < digits + 4 || p[digits] != ' ' || p[len - 1] != '\n' ||
		    !(eq = memchr(p + digits + 1, '=', len - digits - 2)))
			return err_set(e, ERR_DAMAGED, "tar header: a broken pax record");
		CLEANUP(freep) char *key = xstrndup(p + digits + 1, (size_t)(eq - p) - digits - 1);
		CLEANUP(freep) char *value = xmalloc((size_t)(p + len - eq));
		size_t vlen = (size_t)(p + len - 1 - (eq + 1));

		memcpy(value, eq + 1, vlen);
		value[vlen] = '\0';
		if (pax_record(x, key, value, vlen, e))
			return -1;
		p += len;
		n -= len;
	}
	return 0;
}

/* Fields of h where the pax records say nothing. */
static int get_block(struct pax *x, const struct ustar *h, struct err *e)
{
	struct tar_entry *t = &x->t;
	uint64_t mode, uid, gid, size, mtime, major = 0, minor = 0;
	bool prefix = memcmp(h->magic, "ustar", 6) == 0 && h->prefix[0];

	if (get_octal(&mode, h->mode, sizeof(h->mode)) || get_octal(&uid, h->uid, sizeof(h->uid)) ||
	    get_octal(&gid, h->gid, sizeof(h->gid)) || get_octal(&size, h->size, sizeof(h->size)) ||
	    get_octal(&mtime, h->mtime, sizeof(h->mtime)) || get_octal(&major, h->devmajor, sizeof(h->devmajor)) ||
	    get_octal(&minor, h->devminor, sizeof(h->devminor)))
		return err_set(e, ERR_DAMAGED, "tar header: a number that is not octal");
	if (mtime > (uint64_t)(INT64_MAX / NS))
		return err_set(e, ERR_DAMAGED, "tar header: a time that cannot be");
	if (!t->name)
		t->name = xasprintf("%.*s%s%.*s", prefix ? (int)sizeof(h->prefix) : 0, h->prefix, prefix ? "/" : "",
				    (int)sizeof(h->name), h->name);
	if (!t->link && h->linkname[0])
		t->link = xstrndup(h->linkname, sizeof(h->linkname));
	if (!t->uname && h->uname[0])
		t->uname = xstrndup(h->uname, sizeof(h->uname));
	if (!t->gname && h->gname[0])
		t->gname = xstrndup(h->gname, sizeof(h->gname));
	t->type = h->typeflag ? h->typeflag : '0';
	t->mode = (mode_t)(mode & 07777);
	t->uid = x->uid ? t->uid : (uid_t)uid;
	t->gid = x->gid ? t->gid : (gid_t)gid;
	t->size = x->size ? t->size : size;
	t->mtime_ns = x->mtime ? t->mtime_ns : (int64_t)mtime * NS;
	t->dev_major = (unsigned)major;
	t->dev_minor = (unsigned)minor;
	return 0;
}

static int check_entry(struct tar_entry *t, struct err *e)
{
	size_t len = strlen(t->name);

	if (t->type < '0' || t->type > '6')
		return err_set(e, ERR_DAMAGED, "tar header: type 0x%02x is not known", (unsigned char)t->type);
	while (len > 1 && t->type == '5' && t->name[len - 1] == '/')
		t->name[--len] = '\0';
	if (len == 0)
		return err_set(e, ERR_DAMAGED, "tar header: no name");
	if ((t->type == '1' || t->type == '2') && !t->link)
		return err_set(e, ERR_DAMAGED, "tar header: a link without target");
	if (t->type != '0' && t->size)
		return err_set(e, ERR_DAMAGED, "tar header: content where there can be none");
	if (t->type != '0' || !t->sparse)
		t->sparse = false, t->real_size = 0;
	return 0;
}

static int is_ustar(const struct ustar *h, struct err *e)
{
	uint64_t sum;

	if (memcmp(h->magic, "ustar", 5) || get_octal(&sum, h->chksum, sizeof(h->chksum)) || sum != checksum(h))
		return err_set(e, ERR_DAMAGED, "not a tar header");
	return 0;
}

static bool all_zero(const char *p)
{
	return p[0] == '\0' && memcmp(p, p + 1, TAR_BLOCK - 1) == 0;
}

/* as tar_get_header, into x */
static int get_header(struct pax *x, const char *p, size_t n, size_t *used, struct err *e)
{
	size_t at = 0;

	for (;;) {
		struct ustar h;
		uint64_t size;

		if (n - at < TAR_BLOCK)
			return 0;
		if (at == 0 && all_zero(p)) {
			if (n < 2 * TAR_BLOCK)
				return 0;
			*used = 2 * TAR_BLOCK;
			return all_zero(p + TAR_BLOCK) ? 2 : err_set(e, ERR_DAMAGED, "half an end of a tar");
		}
		memcpy(&h, p + at, sizeof(h));
		if (is_ustar(&h, e))
			return -1;
		at += TAR_BLOCK;
		if (h.typeflag != 'x' && h.typeflag != 'g') {
			if (get_block(x, &h, e) || check_entry(&x->t, e))
				return -1;
			*used = at;
			return 1;
		}
		if (get_octal(&size, h.size, sizeof(h.size)) || size > PAX_MAX)
			return err_set(e, ERR_DAMAGED, "tar header: pax records of a size that cannot be");
		if (n - at < size + tar_padding(size))
			return 0;
		if (h.typeflag == 'x' && pax_records(x, p + at, (size_t)size, e))
			return -1;
		at += (size_t)size + tar_padding(size);
	}
}

int tar_get_header(struct tar_entry *ret, const void *p, size_t n, size_t *used, struct err *e)
{
	struct pax x = {0};
	int got = get_header(&x, p, n, used, e);

	if (got == 1)
		*ret = x.t;
	else
		tar_entry_done(&x.t);
	return got;
}

/* A decimal line at p[*at..n): 1, 0 more is needed, -1. */
static int get_line(uint64_t *ret, const char *p, size_t n, size_t *at)
{
	uint64_t v = 0;
	size_t i = *at;

	for (; i < n && p[i] >= '0' && p[i] <= '9' && i - *at < 19; i++)
		v = v * 10 + (uint64_t)(p[i] - '0');
	if (i == n)
		return 0;
	if (p[i] != '\n' || i == *at)
		return -1;
	*at = i + 1;
	*ret = v;
	return 1;
}

int tar_get_map(struct tar_map *ret, uint64_t real_size, const void *p, size_t n, size_t *used, struct err *e)
{
	uint64_t count, offset, len, end = 0;
	size_t at = 0;
	int got = get_line(&count, p, n, &at);

	*ret = (struct tar_map){0};
	if (got == 1 && count > TAR_RUNS_MAX)
		got = -1;
	for (uint64_t i = 0; got == 1 && i < count; i++) {
		got = get_line(&offset, p, n, &at);
		got = got == 1 ? get_line(&len, p, n, &at) : got;
		if (got != 1)
			break;
		if (offset < end || offset > real_size || len > real_size - offset) {
			got = -1;
			break;
		}
		*list_push(ret) = (struct tar_run){offset, len};
		end = offset + len;
	}
	if (got < 0)
		return err_set(e, ERR_DAMAGED, "broken map of a sparse file");
	at += tar_padding(at);
	if (got == 0 || at > n)
		return 0;
	*used = at;
	return 1;
}
