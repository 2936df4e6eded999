# src/crypto
noinst_LIBRARIES += src/crypto/libcrypto.a
src_crypto_libcrypto_a_SOURCES = src/crypto/crypto.c src/crypto/crypto.h \
	src/crypto/webhook_secret.c src/crypto/webhook_secret.h
src_crypto_libcrypto_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS)
STINT_LIBS += src/crypto/libcrypto.a
