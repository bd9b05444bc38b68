/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/archive/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/mem.h"
#include "shared/str.h"

void spill_init(struct spill *s, size_t cap)
{
	buf_init(&s->mem, cap);
	s->fd = -1;
	s->in_file = 0;
}

void spill_done(struct spill *s)
{
	buf_done(&s->mem);
	closep(&s->fd);
	s->fd = -1;
}

uint64_t spill_len(const struct spill *s)
{
	return s->in_file + s->mem.len;
}

static int open_file(struct spill *s, struct err *e)
{
	const char *dir = str_or(getenv("TMPDIR"), "/var/tmp");
	CLEANUP(freep) char *path = xasprintf("%s/felloe.XXXXXX", dir);

	if (s->fd >= 0)
		return 0;
	s->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd >= 0)
		return 0;
	s->fd = mkostemp(path, O_CLOEXEC); /* not every file system has O_TMPFILE */
	if (s->fd < 0)
		return err_sys(e, ERR_IO, "make a temporary file in %s (TMPDIR)", dir);
	unlink(path);
	return 0;
}

static int write_file(struct spill *s, const char *p, size_t n, struct err *e)
{
	if (open_file(s, e))
		return -1;
	while (n) {
		ssize_t got = pwrite(s->fd, p, n, (off_t)s->in_file);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, ERR_IO, "write a temporary file in %s (TMPDIR)",
				       str_or(getenv("TMPDIR"), "/var/tmp"));
		p += got;
		n -= (size_t)got;
		s->in_file += (uint64_t)got;
	}
	return 0;
}

int spill_add(struct spill *s, const void *p, size_t n, struct err *e)
{
	if (n > s->mem.max - s->mem.len) {
		if (write_file(s, s->mem.p, s->mem.len, e))
			return -1;
		buf_reset(&s->mem);
	}
	if (n > s->mem.max)
		return write_file(s, p, n, e);
	buf_add(&s->mem, p, n);
	return 0;
}

int spill_read(struct spill *s, uint64_t offset, void *p, size_t n, struct err *e)
{
	char *to = p;

	while (n && offset < s->in_file) {
		size_t part = s->in_file - offset < n ? (size_t)(s->in_file - offset) : n;
		ssize_t got = pread(s->fd, to, part, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_sys(e, ERR_IO, "read a temporary file");
		to += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	if (n == 0)
		return 0;
	if (n > s->mem.len || offset - s->in_file > s->mem.len - n)
		return err_set(e, ERR_INTERNAL, "read past the end of a temporary file");
	memcpy(to, s->mem.p + (offset - s->in_file), n);
	return 0;
}
