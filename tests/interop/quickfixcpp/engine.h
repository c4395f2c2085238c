// The parts of QuickFIX that the client uses.
//
// QuickFIX 1.15 declares what its functions throw, as in "void start() throw(ConfigError)". C++17
// has abolished that, so the word is taken away while its headers are read. No "throw" in them is
// followed by parentheses but these, and what they take from the standard library is read before.
#pragma once

#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#define HAVE_SSL 1  // Debian's library was built with it; its headers have to be told
#define throw(...)
#include <quickfix/FileLog.h>
#include <quickfix/FileStore.h>
#include <quickfix/SSLSocketInitiator.h>
#include <quickfix/Session.h>
#include <quickfix/SocketInitiator.h>
#undef throw
