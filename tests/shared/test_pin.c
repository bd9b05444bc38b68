/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/pin.c"

#include "tests/unit.h"

/* A P-256 test certificate; its pin was computed with
 * openssl x509 -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64 */
static const char test_cert[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBfDCCASGgAwIBAgIUKwR7y4iUbaVL8g8OtrTiVy9xFKMwCgYIKoZIzj0EAwIw\n"
	"EzERMA8GA1UEAwwIcGluLnRlc3QwHhcNMjYxMTIzMTIwMDQzWhcNMzYxMTIwMTIw\n"
	"MDQzWjATMREwDwYDVQQDDAhwaW4udGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
	"A0IABObIZIRIEFkwITCxjo3mN7Eox1S3yqFRhrWTcOnE61W7IkZGWaqjvuKdFfRi\n"
	"IHMLIVsl2zrjH21fms3LEnBclu6jUzBRMB0GA1UdDgQWBBSnGkrgPCIdcQLG7mbN\n"
	"p+12kbWD9jAfBgNVHSMEGDAWgBSnGkrgPCIdcQLG7mbNp+12kbWD9jAPBgNVHRMB\n"
	"Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQD5uYJzO4Ubmkcebsm/Oc6RnWu0\n"
	"w412blPXx+IswGvaCwIhAPfe0edbuWIqwyz0qagb+yuOD0I6A41jNxqywFIiJ6Q6\n"
	"-----END CERTIFICATE-----\n";
#define TEST_PIN "sha256//ae95hMdJFrP1g8OSQ/ATy3tlJrDI49Q6l1zDFrPhrbI="

static void the_pin_is_the_digest_of_the_public_key_inside_the_certificate(void **state)
{
	char pin[PIN_TEXT], broken[sizeof(test_cert)];

	(void)state;
	assert_int_equal(pin_of_pem(test_cert, pin), 0);
	assert_string_equal(pin, TEST_PIN);
	memcpy(broken, test_cert, sizeof(broken));
	broken[40] = broken[40] == 'A' ? 'B' : 'A';
	broken[30] = '!';
	assert_int_equal(pin_of_pem(broken, pin), -1);
	assert_int_equal(pin_of_pem("", pin), -1);
	assert_int_equal(pin_of_pem("-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----", pin), -1);
}

static void a_certificate_that_is_cut_anywhere_is_refused(void **state)
{
	CLEANUP(freep) uint8_t *bytes = NULL;
	const char *from = strstr(test_cert, "\n") + 1;
	struct der key;
	struct buf b;
	size_t n = 0;
	unsigned good = 0;

	(void)state;
	buf_init(&b, CERT_MAX);
	for (; *from != '-'; from++)
		if (*from != '\n')
			buf_addc(&b, *from);
	assert_int_equal(base64_decode(&bytes, &n, b.p), 0);
	assert_int_equal(cert_key((struct der){bytes, n}, &key), 0);
	for (size_t cut = 0; cut < n; cut++) {
		CLEANUP(freep) uint8_t *part = xmemdup(bytes, cut ? cut : 1);

		good += cert_key((struct der){part, cut}, &key) == 0;
	}
	assert_int_equal(good, 0);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pin_is_the_digest_of_the_public_key_inside_the_certificate),
		cmocka_unit_test(a_certificate_that_is_cut_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
