# src/crypto
noinst_LIBRARIES += src/crypto/libcrypto.a
src_crypto_libcrypto_a_SOURCES =
STINT_LIBS += src/crypto/libcrypto.a
