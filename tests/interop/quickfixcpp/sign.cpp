#include "sign.h"

#include <openssl/pem.h>

#include <cstdio>
#include <stdexcept>
#include <vector>

namespace {

using Bytes = std::vector<unsigned char>;

std::string inBase64(const Bytes& bytes) {
    Bytes text(4 * ((bytes.size() + 2) / 3) + 1);  // with the NUL that it puts at the end
    const auto size = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    return {text.begin(), text.begin() + size};
}

}  // namespace

Key readKey(const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "r");
    if (file == nullptr) {
        return nullptr;
    }
    Key key(PEM_read_PrivateKey(file, nullptr, nullptr, nullptr));
    std::fclose(file);
    if (key == nullptr) {
        throw std::runtime_error("not a key: " + path);
    }
    return key;
}

std::string sign(const Key& key, const std::string& text) {
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(
        EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    // Ed25519 has its digest built in, so none is named; the first call tells the size.
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1
        || EVP_DigestSign(context.get(), nullptr, &size, data, text.size()) != 1) {
        throw std::runtime_error("cannot sign");
    }
    Bytes signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, data, text.size()) != 1) {
        throw std::runtime_error("cannot sign");
    }
    return inBase64(signature);
}
