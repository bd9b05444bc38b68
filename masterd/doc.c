/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/doc.h"

#include <string.h>

#include "masterd/doc_alerts.h"
#include "masterd/doc_enrol.h"
#include "masterd/doc_fleet.h"
#include "masterd/doc_people.h"
#include "shared/attr.h"
#include "shared/str.h"

typedef const struct route_doc *docs_fn(size_t *n);
static docs_fn *const parts[] = {doc_people, doc_fleet, doc_alerts, doc_enrol};

/* The i-th of all, NULL after the last. */
static const struct route_doc *doc_at(size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
		size_t n;
		const struct route_doc *v = parts[k](&n);

		if (i < n)
			return &v[i];
		i -= n;
	}
	return NULL;
}

const struct route_doc *doc_find(const char *method, const char *path)
{
	size_t len = strlen(method);
	const struct route_doc *d;

	for (size_t i = 0; (d = doc_at(i)); i++)
		if (strncmp(d->route, method, len) == 0 && d->route[len] == ' ' && str_eq(d->route + len + 1, path))
			return d;
	return NULL;
}
