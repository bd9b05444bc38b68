/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_OPENAPI_SHAPE_H
#define FELLOE_OPENAPI_SHAPE_H

#include "masterd/doc.h"
#include "shared/json.h"

/* The JSON Schema of what doc.h describes. */

enum { SHAPES_MAX = 128 };
/* The shapes that were referred to, in the order in which they were met. */
struct shapes {
	struct json_out o;
	const struct shape *v[SHAPES_MAX];
	size_t n;
};

/* {"$ref": ...} of the shape, which is to be put later. */
void shape_refer(struct shapes *w, const char *key, const struct shape *s);
/* {"type":"array"} of such. */
void shape_put_list(struct shapes *w, const char *key, const struct shape *s);
/* The schema of one field. */
void shape_put_field(struct shapes *w, const char *key, const struct field *f);
/* The whole schema of a shape, as the member of its name. Those that it refers to join w. */
void shape_put(struct shapes *w, const struct shape *s);

#endif
