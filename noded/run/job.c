/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LINE_MAX_LEN = 1024, LOG_TAIL = WIRE_LOG - 1 };

void job_init(struct job *j, const char *site, const char *what)
{
	*j = (struct job){0};
	wire_run_init(&j->run);
	random_uuid(j->run.uuid);
	str_cut(j->run.batch, sizeof(j->run.batch), j->run.uuid);
	str_cut(j->run.site, sizeof(j->run.site), site);
	str_cut(j->run.what, sizeof(j->run.what), what);
	str_cut(j->run.trigger, sizeof(j->run.trigger), "manual");
	/* counted from zero; a wire_run begins with "not known" */
	j->run.bytes_in = j->run.bytes_stored = j->run.files = j->run.skipped = j->run.rows = j->run.tables = 0;
	j->run.state = RUN_RUNNING;
	j->run.rev = 1;
	j->run.started = clock_ms();
	buf_init(&j->log, 2 * LOG_TAIL);
	str_cut(j->progress.uuid, sizeof(j->progress.uuid), j->run.uuid);
	str_cut(j->progress.site, sizeof(j->progress.site), site);
	str_cut(j->progress.what, sizeof(j->progress.what), what);
	j->progress.started = j->run.started;
	str_cut(j->progress.phase, sizeof(j->progress.phase), "plan");
	j->progress.bytes_total = -1;
}

void job_done(struct job *j)
{
	progress_free(j->bar);
	buf_done(&j->log);
	wire_run_done(&j->run);
}

/* Keep the tail, cut at the start of a line. */
static void keep_tail(struct buf *log)
{
	const char *newline;

	if (log->len <= LOG_TAIL)
		return;
	newline = memchr(log->p + (log->len - LOG_TAIL), '\n', LOG_TAIL);
	buf_drop(log, newline ? (size_t)(newline + 1 - log->p) : log->len);
}

static void add_line(struct job *j, const char *level, const char *text)
{
	char when[CLOCK_TEXT];

	clock_format(when, sizeof(when), "%H:%M:%S", clock_ms());
	buf_addf(&j->log, "%s %s%s\n", when, level, text);
	keep_tail(&j->log);
	progress_clear(j->bar);
}

void job_say_text(void *ctx, const char *text)
{
	struct job *j = ctx;

	add_line(j, "", text);
	log_info("%s: %s", j->run.site, text);
	if (j->told)
		j->told(j->told_ctx, false, text);
}

void job_warn_text(void *ctx, const char *text)
{
	struct job *j = ctx;

	j->warnings++;
	add_line(j, "warning: ", text);
	log_warn("%s: %s", j->run.site, text);
	if (j->told)
		j->told(j->told_ctx, true, text);
}

static void format(char text[static LINE_MAX_LEN], const char *fmt, va_list ap)
{
	vsnprintf(text, LINE_MAX_LEN, fmt, ap);
	str_clean(text); /* names of files and tables are a stranger's */
}

void job_say(struct job *j, const char *fmt, ...)
{
	char text[LINE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	format(text, fmt, ap);
	va_end(ap);
	job_say_text(j, text);
}

void job_warn(struct job *j, const char *fmt, ...)
{
	char text[LINE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	format(text, fmt, ap);
	va_end(ap);
	job_warn_text(j, text);
}

void job_phase(struct job *j, const char *phase)
{
	int64_t now = clock_mono_ms();

	if (j->run.phases.n)
		j->run.phases.v[j->run.phases.n - 1].ms += now - j->phase_began;
	j->phase_began = now;
	if (!phase)
		return;
	if (!j->run.phases.n || !str_eq(j->run.phases.v[j->run.phases.n - 1].name, phase))
		str_cut(list_push(&j->run.phases)->name, sizeof(j->run.phases.v[0].name), phase);
	if (j->bar)
		progress_phase(j->bar, phase, "");
}

static enum run_state outcome(const struct job *j, const struct err *e)
{
	if (!e)
		return *j->suspect ? RUN_SUSPECT : j->warnings ? RUN_WARNING : RUN_OK;
	if (e->kind == ERR_LOCKED)
		return RUN_SKIPPED;
	return e->kind == ERR_ABORTED ? RUN_ABORTED : RUN_FAILED;
}

void job_end(struct job *j, const struct err *e)
{
	job_phase(j, NULL);
	j->run.state = outcome(j, e);
	j->run.finished = clock_ms();
	j->run.rev++;
	if (e) {
		char text[ERR_MSG_MAX];

		str_cut(text, sizeof(text), e->msg);
		str_clean(text);
		str_cut(j->run.error_kind, sizeof(j->run.error_kind), err_name(e->kind));
		str_cut(j->run.error, sizeof(j->run.error), text);
		add_line(j, "", text);
	} else if (*j->suspect) {
		str_cut(j->run.error_kind, sizeof(j->run.error_kind), "suspect");
		str_cut(j->run.error, sizeof(j->run.error), j->suspect);
		add_line(j, "suspect: ", j->suspect);
	}
	free(j->run.log);
	j->run.log = xstrdup(j->log.len ? j->log.p : "");
	progress_free(TAKE(j->bar));
}
