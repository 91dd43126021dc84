"""Where the bot's OMEMO keys lie: one JSON file, so that a later bot can be the same device."""

import json
import os
from pathlib import Path

from omemo.storage import Just, Nothing, Storage


class KeyFile(Storage):
    """python-omemo's storage over a file that is replaced as a whole, never written in place."""

    def __init__(self, path):
        super().__init__()
        self._path = Path(path)
        self._values = json.loads(self._path.read_text()) if self._path.exists() else {}

    async def _load(self, key):
        return Just(self._values[key]) if key in self._values else Nothing()

    async def _store(self, key, value):
        self._values[key] = value
        self._save()

    async def _delete(self, key):
        self._values.pop(key, None)
        self._save()

    def _save(self):
        new = self._path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(self._values))
        os.replace(new, self._path)
