/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TESTS_UNIT_H
#define FELLOE_TESTS_UNIT_H

/* What cmocka.h wants before itself. Include after the module under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
