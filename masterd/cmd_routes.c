/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <stdio.h>

#include "masterd/route.h"
#include "shared/json.h"

/* The route table as JSON: the tests walk it with every kind of credentials. */
int cmd_routes(int argc, char **argv)
{
	struct json_out o;
	struct buf b;
	const struct route *t;
	size_t n;

	(void)argc;
	(void)argv;
	buf_init(&b, 1 << 20);
	json_out_init(&o, &b);
	json_arr(&o, NULL);
	t = route_table(&n);
	for (size_t i = 0; i < n; i++) {
		json_obj(&o, NULL);
		json_put_str(&o, "method", t[i].method);
		json_put_str(&o, "path", t[i].path);
		json_put_bool(&o, "root", t[i].root);
		json_put_str(&o, "role", role_name(t[i].role));
		json_put_str(&o, "summary", t[i].summary);
		json_end_obj(&o);
	}
	json_end_arr(&o);
	puts(b.p);
	buf_done(&b);
	return 0;
}
