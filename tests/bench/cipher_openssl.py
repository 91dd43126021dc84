"""The half of `cipher` that SQLCipher on OpenSSL does. Needs the package sqlcipher3-binary; started by `cipher`.

    cipher_openssl.py DATABASE KEY-AND-SALT READ WRITE ROUNDS    prints the least processor seconds of a reading and a writing
"""

import sys
import time

from sqlcipher3 import dbapi2

path, key, read, write, rounds = sys.argv[1:]
connection = dbapi2.connect(path, isolation_level=None)
for pragma in (
    f"key = \"x'{key}'\"",
    "cipher_compatibility = 4",
    "cipher_page_size = 4096",
    "cipher_plaintext_header_size = 32",
    "cipher_memory_security = OFF",
    "cache_size = -2048",
    "secure_delete = ON",
    "journal_size_limit = 4194304",
    "journal_mode = WAL",
    "synchronous = OFF",
):
    connection.execute(f"PRAGMA {pragma}")


def least(statement):
    best = float("inf")
    for _ in range(int(rounds)):
        before = time.process_time()
        connection.execute(statement).fetchall()
        best = min(best, time.process_time() - before)
    return best


(provider,) = connection.execute("PRAGMA cipher_provider").fetchone()
(version,) = connection.execute("PRAGMA cipher_version").fetchone()
assert provider == "openssl", provider
print(least(read), least(write), version.split()[0])
