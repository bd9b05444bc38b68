/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a storage: whatever it says, each entry has a key, and what goes to a screen is clean. */
#include "noded/store/xml.h"

#include <stdlib.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is &lt;wrong&gt;"
	"</Message><Region>eu-west-1</Region><RequestId>4442587FB7D0A2F9</RequestId></Error>",
	"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>p/</Prefix><KeyCount>2</KeyCount>"
	"<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>1ueGcxLPRx1Tr</NextContinuationToken>"
	"<Contents><Key>p/a%20b+%C3%A9</Key><LastModified>2026-11-23T03:10:00.000Z</LastModified><ETag>&quot;x&quot;</ETag>"
	"<Size>5368709120</Size></Contents><Contents><Key>p/c</Key><Size>0</Size></Contents></ListBucketResult>",
	"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>VXBsb2FkIElE</UploadId></InitiateMultipartUploadResult>",
	"<CompleteMultipartUploadResult><Location>http://b/k</Location><ETag>\"3858f62230ac3c915f300c664312c11f-9\"</ETag>"
	"</CompleteMultipartUploadResult>",
	"<ListMultipartUploadsResult><NextKeyMarker>k%2f</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker><EncodingType>url"
	"</EncodingType><IsTruncated>false</IsTruncated><Upload><Key>k</Key><UploadId>u</UploadId><Initiated>2026-11-23T03:10:00Z"
	"</Initiated></Upload></ListMultipartUploadsResult>",
	"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
	"<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>",
};

void fuzz_begin(void)
{
}

void fuzz_one(const uint8_t *p, size_t n)
{
	/* of its own size: a read behind it is found */
	CLEANUP(freep) char *copy = xmemdup(p, n);
	struct xml_reply r = {0};
	struct err e;

	if (xml_parse(&r, copy, n, &e)) {
		if (e.kind != ERR_STORAGE || r.items.n || r.upload_id)
			abort();
		return;
	}
	for (size_t i = 0; i < r.items.n; i++)
		if (!r.items.v[i].key)
			abort();
	if (!str_is_clean(r.root) || !str_is_clean(r.code) || !str_is_clean(r.message) || !str_is_clean(r.region))
		abort();
	xml_reply_done(&r);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
