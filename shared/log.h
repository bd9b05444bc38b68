/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LOG_H
#define FELLOE_LOG_H

#include "shared/attr.h"
#include "shared/err.h"

/* One line per event on stderr. Text for people and journald ("<4>" priority
 * prefix of sd-daemon(3) only when stderr is the journal: JOURNAL_STREAM), or
 * one JSON object a line {"ts","level","msg"}. Thread-safe. Only main, a
 * request, a job or a view logs; libraries return. */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Before any thread. json: machine form; level: the least important that is shown. */
void log_init(const char *program, int json, enum log_level level);
void log_error(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_debug(const char *fmt, ...) PRINTF(1, 2);

#endif
