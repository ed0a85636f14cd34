"""Print the Debian package with the shared library that reticulate needs to load this Python, if it is missing.

Debian links python3 statically. Prints `none` where no package can help: an interpreter built without a shared library.
"""

import os
import sys
import sysconfig
from pathlib import Path


def missing_library() -> str:
    if sys.platform != "linux" or sysconfig.get_config_var("Py_ENABLE_SHARED"):
        folder, name = Path(sysconfig.get_config_var("LIBDIR") or ""), sysconfig.get_config_var("INSTSONAME") or ""
        places = [folder / name, folder / (sysconfig.get_config_var("MULTIARCH") or "") / name]
        if sys.platform != "linux" or any(place.exists() for place in places):
            return ""
    if os.path.realpath(sys.executable).startswith("/usr/bin/"):
        return f"libpython{sys.version_info.major}.{sys.version_info.minor}"
    return "none"


if __name__ == "__main__":
    print(missing_library())
