/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/version.h"

#include <stdlib.h>
#include <string.h>

struct version version_of(const char *text)
{
	struct version v = {.maria = strstr(text, "MariaDB") != NULL};
	char *end;
	long major, minor;

	/* what older MariaDB servers say over the wire, so that old clients take them for MySQL */
	if (v.maria && !strncmp(text, "5.5.5-", 6))
		text += 6;
	major = strtol(text, &end, 10);
	minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	if (major > 0 && major < 100 && minor >= 0 && minor < 100)
		v.number = (int)(major * 100 + minor);
	return v;
}

bool version_before(const char *text, int mysql, int maria)
{
	struct version v = version_of(text);

	return v.number && v.number < (v.maria ? maria : mysql);
}

const char *version_kind(const struct version *v)
{
	return v->maria ? "MariaDB" : "MySQL";
}
