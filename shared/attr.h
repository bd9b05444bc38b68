/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ATTR_H
#define FELLOE_ATTR_H

/* What the compiler can check for us. */
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define MUSTCHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
