// SHA256_CTX is the one form of libcrypto's SHA-256 whose state can be kept in a file and continued from.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
