/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_LIB_H
#define FELLOE_MYSQL_LIB_H

/* mysql.h of MariaDB brings linked-list calls whose names are those of
 * shared/list.h; here they are moved out of the way. Include this, never mysql.h. */
#pragma push_macro("list_push")
#undef list_push
#define list_free mysql_lib_list_free
#include <mysql.h>
#undef list_free
#undef list_push
#pragma pop_macro("list_push")

#endif
