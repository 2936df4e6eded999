# src/crypto
noinst_LIBRARIES += src/crypto/libcrypto.a
src_crypto_libcrypto_a_SOURCES = src/crypto/crypto.c src/crypto/crypto.h
src_crypto_libcrypto_a_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS)
STINT_LIBS += src/crypto/libcrypto.a
