// The parts of QuickFIX that the acceptor uses.
//
// QuickFIX 1.15 declares what its functions throw, as in "void start() throw(ConfigError)". C++17
// has abolished that, so the word is taken away while its headers are read. No "throw" in them is
// followed by parentheses but these, and what they take from the standard library is read before.
#pragma once

#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
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

#define throw(...)
#include <quickfix/FileStore.h>
#include <quickfix/MessageCracker.h>
#include <quickfix/Session.h>
#include <quickfix/SocketAcceptor.h>
#include <quickfix/fix44/ExecutionReport.h>
#include <quickfix/fix44/NewOrderSingle.h>
#undef throw
