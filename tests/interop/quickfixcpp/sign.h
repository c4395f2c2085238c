// Signatures for Logons.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

/// The key of a file; none if there is no file.
Key readKey(const std::string& path);

/// The Ed25519 signature of a text, in Base64.
std::string sign(const Key& key, const std::string& text);
