/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/xml.c"

#include <stdio.h>

#include "tests/unit.h"

static int parse(struct xml_reply *r, const char *text, struct err *e)
{
	return xml_parse(r, text, strlen(text), e);
}

static void assert_refused(const char *text, const char *why)
{
	struct xml_reply r = {0};
	struct err e;

	assert_int_equal(parse(&r, text, &e), -1);
	assert_int_equal(e.kind, ERR_STORAGE);
	if (!strstr(e.msg, why))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, why);
}

static void an_error_gives_code_message_and_region(void **state)
{
	struct xml_reply r;
	struct err e;

	(void)state;
	assert_int_equal(parse(&r, "<?xml version='1.0'?>\n<Error><Code>AuthorizationHeaderMalformed</Code>"
			       "<Message>wants &lt;eu&gt;\x1b[2J</Message><Region>eu-west-3</Region><Other>x</Other></Error>", &e), -1);
	assert_int_equal(parse(&r, "<?xml version='1.0'?>\n<Error><Code>AuthorizationHeaderMalformed</Code>"
			       "<Message>wants &lt;eu&gt;\xe2\x80\xae</Message><Region>eu-west-3</Region><Other>x</Other></Error>", &e), 0);
	assert_string_equal(r.root, "Error");
	assert_string_equal(r.code, "AuthorizationHeaderMalformed");
	assert_string_equal(r.message, "wants <eu>?");
	assert_string_equal(r.region, "eu-west-3");
	xml_reply_done(&r);
}

static void a_listing_is_decoded_from_xml_first_and_url_then(void **state)
{
	struct xml_reply r;
	struct err e;

	(void)state;
	assert_int_equal(parse(&r, "<s3:ListBucketResult xmlns:s3='http://s3.amazonaws.com/doc/2006-03-01/'><s3:EncodingType>url"
			       "</s3:EncodingType><s3:IsTruncated>true</s3:IsTruncated><s3:NextContinuationToken>a+b=&amp;"
			       "</s3:NextContinuationToken><s3:Contents><s3:Key>a+b%2Bc%26amp%3B&apos;%C3%BC%zz</s3:Key>"
			       "<s3:Size>5368709120</s3:Size></s3:Contents><s3:Contents><s3:Key>d</s3:Key></s3:Contents>"
			       "</s3:ListBucketResult>", &e), 0);
	assert_true(r.truncated);
	assert_string_equal(r.next_token, "a+b=&");
	assert_int_equal(r.items.n, 2);
	assert_string_equal(r.items.v[0].key, "a b+c&amp;'\xc3\xbc%zz");
	assert_true(r.items.v[0].size == 5368709120u);
	xml_reply_done(&r);
}

static void keys_are_taken_as_they_are_when_the_server_does_not_encode(void **state)
{
	struct xml_reply r;
	struct err e;

	(void)state;
	assert_int_equal(parse(&r, "<ListBucketResult><Contents><Key>a+b%2B</Key><Size>0</Size></Contents>"
			       "</ListBucketResult>", &e), 0);
	assert_string_equal(r.items.v[0].key, "a+b%2B");
	xml_reply_done(&r);
}

static void open_uploads_come_with_ids_and_times(void **state)
{
	struct xml_reply r;
	struct err e;
	int64_t at;

	(void)state;
	assert_int_equal(parse(&r, "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>false"
			       "</IsTruncated><NextKeyMarker>k%20</NextKeyMarker><NextUploadIdMarker>i%20</NextUploadIdMarker>"
			       "<Upload><Key>a%2Fb</Key><UploadId>x+/=</UploadId><Initiated>2026-11-23T10:00:00.000Z"
			       "</Initiated></Upload></ListMultipartUploadsResult>", &e), 0);
	assert_int_equal(clock_parse(&at, "2026-11-23T10:00:00Z"), 0);
	assert_string_equal(r.items.v[0].key, "a/b");
	assert_string_equal(r.items.v[0].upload_id, "x+/=");
	assert_true(r.items.v[0].initiated == at);
	assert_string_equal(r.next_key, "k ");
	assert_string_equal(r.next_upload, "i%20");
	xml_reply_done(&r);
}

static void the_answers_of_a_multipart_upload_are_read(void **state)
{
	struct xml_reply r;
	struct err e;

	(void)state;
	assert_int_equal(parse(&r, "<InitiateMultipartUploadResult><Bucket>b</Bucket><UploadId> a&amp;b </UploadId>"
			       "</InitiateMultipartUploadResult>", &e), 0);
	assert_string_equal(r.upload_id, " a&b ");
	xml_reply_done(&r);
	assert_int_equal(parse(&r, "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>", &e), 0);
	assert_string_equal(r.etag, "");
	assert_string_equal(r.root, "CompleteMultipartUploadResult");
	xml_reply_done(&r);
}

static void entities_and_doctypes_are_refused(void **state)
{
	(void)state;
	assert_refused("<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><Error><Code>&b;</Code></Error>",
		       "it has a DOCTYPE");
	assert_refused("<!DOCTYPE x SYSTEM 'file:///etc/passwd'><Error/>", "it has a DOCTYPE");
	assert_refused("<Error><Code>&passwd;</Code></Error>", "undefined entity");
}

static void what_is_cut_or_no_xml_is_refused(void **state)
{
	(void)state;
	assert_refused("", "no element found");
	assert_refused("<html><p>502 Bad Gateway</html>", "mismatched tag");
	assert_refused("<ListBucketResult><Contents><Key>a</Key>", "");
	assert_refused("<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>", "without a key");
	assert_refused("<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
		       "an object's size is not a number");
	assert_refused("<Error><Code>\xff\xfe</Code></Error>", "not well-formed");
}

static void depth_and_lengths_have_a_limit(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8 << 20);
	for (int i = 0; i < 17; i++)
		buf_adds(&b, "<a>");
	assert_refused(b.p, "nested too deep");
	buf_reset(&b);
	buf_adds(&b, "<Error><Code>");
	for (int i = 0; i < 20000; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, "</Code></Error>");
	assert_refused(b.p, "a text is too long");
	buf_reset(&b);
	buf_adds(&b, "<ListBucketResult>");
	for (int i = 0; i < 10001; i++)
		buf_adds(&b, "<Contents><Key>k</Key></Contents>");
	buf_adds(&b, "</ListBucketResult>");
	assert_refused(b.p, "too many entries");
	buf_reset(&b);
	buf_addc(&b, '<');
	for (int i = 0; i < 600; i++)
		buf_addc(&b, 'y');
	buf_adds(&b, "/>");
	assert_refused(b.p, "names of elements are too long");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_gives_code_message_and_region),
		cmocka_unit_test(a_listing_is_decoded_from_xml_first_and_url_then),
		cmocka_unit_test(keys_are_taken_as_they_are_when_the_server_does_not_encode),
		cmocka_unit_test(open_uploads_come_with_ids_and_times),
		cmocka_unit_test(the_answers_of_a_multipart_upload_are_read),
		cmocka_unit_test(entities_and_doctypes_are_refused),
		cmocka_unit_test(what_is_cut_or_no_xml_is_refused),
		cmocka_unit_test(depth_and_lengths_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
