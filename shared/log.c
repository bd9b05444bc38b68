/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { TEXT_MAX = 4096 };

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[LOG_ERROR] = {"error", 3},
	[LOG_WARN] = {"warning", 4},
	[LOG_INFO] = {"info", 6},
	[LOG_DEBUG] = {"debug", 7},
};

/* how this process logs; written once by log_init, before any thread */
static struct {
	const char *program;
	enum log_level level;
	bool json, journal, terminal;
} to = {.program = "felloe", .level = LOG_INFO};

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of the journal's socket,
 * and is inherited by those whose stderr goes elsewhere. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (str_empty(stream) || fstat(STDERR_FILENO, &st))
		return false;
	snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return str_eq(stream, mine);
}

void log_init(const char *program, int json, enum log_level level)
{
	to.program = program;
	to.json = json;
	to.level = level;
	to.journal = stderr_is_journal();
	to.terminal = isatty(STDERR_FILENO);
}

/* text has no control characters any more, so these two are all that JSON escapes */
static void add_escaped(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *text);
	}
}

static void add_line(struct buf *b, enum log_level level, const char *text)
{
	char now[CLOCK_TEXT];

	if (to.json) {
		buf_addf(b, "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":\"", clock_rfc3339(now, clock_ms()),
			 levels[level].name);
		add_escaped(b, text);
		buf_adds(b, "\"}\n");
	} else if (to.journal) {
		buf_addf(b, "<%d>%s\n", levels[level].priority, text);
	} else if (to.terminal) {
		buf_addf(b, "%s: %s: %s\n", to.program, levels[level].name, text);
	} else {
		buf_addf(b, "%s %s: %s: %s\n", clock_rfc3339(now, clock_ms()), to.program, levels[level].name, text);
	}
}

static PRINTF(2, 0) void write_event(enum log_level level, const char *fmt, va_list ap)
{
	CLEANUP(buf_done) struct buf b = {0};
	char text[TEXT_MAX];

	if (level > to.level)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	str_clean(text);
	buf_init(&b, 2 * TEXT_MAX + 256);
	add_line(&b, level, text);
	/* one write a line: lines of two threads do not mix; a log that cannot be written has nobody to tell */
	if (write(STDERR_FILENO, b.p, b.len) < 0)
		return;
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_event(LOG_ERROR, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_event(LOG_WARN, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_event(LOG_INFO, fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_event(LOG_DEBUG, fmt, ap);
	va_end(ap);
}
