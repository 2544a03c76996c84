#!/usr/bin/env bash
# certificates.sh DIRECTORY: makes a certificate authority with a server and a client certificate, and a client
# certificate of another authority, all for the loopback address and valid for a day.
set -euo pipefail
mkdir -p "$1"
cd "$1"

authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "/CN=$2" \
        -keyout "$1-key.pem" -out "$1.pem" 2>/dev/null
}

# certificate NAME AUTHORITY
certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
        -keyout "$1-key.pem" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2-key.pem" -CAcreateserial -days 1 -out "$1.pem" \
        -extfile <(printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n') 2>/dev/null
    rm "$1.csr"
}

authority ca "test authority"
authority other-ca "another authority"
certificate server ca
certificate client ca
certificate stranger other-ca
