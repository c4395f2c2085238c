package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/quickfixgo/quickfix"
)

// What the signature is of, in this order.
var signedTags = []quickfix.Tag{tagMsgType, 49, 56, 34, 52}

const (
	tagRawDataLength = 95
	tagRawData       = 96
)

// readKey gives the key of a file, and none if there is no file.
func readKey(path string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not PEM: " + path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(ed25519.PrivateKey), nil
}

// sign puts the signature into a Logon whose header is complete.
func sign(logon *quickfix.Message, key ed25519.PrivateKey) {
	values := make([]string, len(signedTags))
	for i, tag := range signedTags {
		values[i], _ = logon.Header.GetString(tag)
	}
	signature := ed25519.Sign(key, []byte(strings.Join(values, soh)))
	text := base64.StdEncoding.EncodeToString(signature)
	logon.Body.SetString(tagRawDataLength, strconv.Itoa(len(text)))
	logon.Body.SetString(tagRawData, text)
}
