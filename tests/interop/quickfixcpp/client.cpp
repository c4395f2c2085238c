// Two QuickFIX C++ initiators, a buyer and a seller, which do what standard input says.
//
// Arguments: data dictionary, directory for stores and logs, port of the buyer, of the seller, and
// to connect by TLS a folder with keys.
// The commands, and what is printed, are described in ../script/client.py.

#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <mutex>
#include <optional>

#include "engine.h"
#include "sign.h"

namespace {

constexpr char SOH = '\001';

using Fields = std::vector<std::pair<int, std::string>>;

// Of all sessions. The venue's own dictionary, and every check of incoming messages that the engine
// has: what fails one the engine answers with a Reject, and that ends the day.
constexpr auto SETTINGS = R"(
[DEFAULT]
ConnectionType=initiator
BeginString=FIX.4.4
TargetCompID=SEAMARK
SocketConnectHost=127.0.0.1
SocketNodelay=Y
HeartBtInt=5
ReconnectInterval=1
ResetOnLogon=N
ResetOnLogout=N
ResetOnDisconnect=N
UseDataDictionary=Y
ValidateFieldsOutOfOrder=Y
ValidateFieldsHaveValues=Y
ValidateUserDefinedFields=Y
ValidateLengthAndChecksum=Y
AllowUnknownMsgFields=N
CheckCompID=Y
CheckLatency=Y
LogonTimeout=60
)";

/// What the arguments say.
struct Options {
    std::string dictionary;
    std::string directory;
    std::map<std::string, std::string> ports;  // by role
    std::optional<std::string> keys;

    static constexpr auto ROLES = std::array{"buyer", "seller"};
};

/// A time of the day, so many hours from now.
std::string hoursFromNow(int hours) {
    const std::time_t then = std::time(nullptr) + hours * 3600;
    std::ostringstream text;
    text << std::put_time(std::gmtime(&then), "%H:%M:%S");
    return text.str();
}

FIX::SessionID sessionOf(const std::string& role) {
    return {"FIX.4.4", role == "buyer" ? "QFC_BUYER" : "QFC_SELLER", "SEAMARK"};
}

std::string roleOf(const FIX::SessionID& id) {
    return id.getSenderCompID().getValue() == "QFC_BUYER" ? "buyer" : "seller";
}

/// As text, since that is how QuickFIX wants them.
FIX::SessionSettings settings(const Options& options, const std::string& role) {
    std::stringstream text;
    // QuickFIX 1.15 knows no session without end, and begins anew at its end: that is far from now.
    text << SETTINGS << "StartTime=" << hoursFromNow(-1) << "\nEndTime=" << hoursFromNow(11)
         << "\nDataDictionary=" << options.dictionary << "\nFileStorePath=" << options.directory
         << "\nFileLogPath=" << options.directory;
    if (options.keys) {
        // QuickFIX does not compare the name in a certificate with the host that it connects to.
        text << "\nCertificationAuthoritiesFile=" << *options.keys << "/ca.pem";
        const auto certificate = *options.keys + "/" + role + ".pem";  // and the key to it
        if (access(certificate.c_str(), R_OK) == 0) {
            text << "\nClientCertificateFile=" << certificate;
        }
    }
    text << "\n[SESSION]\nSenderCompID=" << sessionOf(role).getSenderCompID().getValue()
         << "\nSocketConnectPort=" << options.ports.at(role) << '\n';
    return FIX::SessionSettings(text);
}

/// "11=a", "55=b" with SOH in between.
Fields parse(const std::string& text) {
    Fields fields;
    std::istringstream rest(text);
    for (std::string field; std::getline(rest, field, SOH);) {
        const auto equals = field.find('=');
        fields.emplace_back(std::stoi(field.substr(0, equals)), field.substr(equals + 1));
    }
    return fields;
}

/// What goes to the standard output. QuickFIX prints there, too, what it thinks of certificates; so
/// that is put into a file.
class Output {
public:
    explicit Output(const std::string& directory) : file(fdopen(dup(STDOUT_FILENO), "w")) {
        if (std::freopen((directory + "/stdout").c_str(), "w", stdout) == nullptr) {
            throw std::runtime_error("cannot write into " + directory);
        }
    }

    void print(const std::string& line) {
        const std::lock_guard lock(mutex);
        std::fprintf(file, "%s\n", line.c_str());
        std::fflush(file);
    }

private:
    std::mutex mutex;
    std::FILE* const file;
};

/// Signs a Logon whose header is complete.
void putSignature(FIX::Message& logon, const Key& key) {
    std::string text;
    for (const auto tag : {FIX::FIELD::MsgType, FIX::FIELD::SenderCompID, FIX::FIELD::TargetCompID,
                           FIX::FIELD::MsgSeqNum, FIX::FIELD::SendingTime}) {
        text += (text.empty() ? "" : std::string(1, SOH)) + logon.getHeader().getField(tag);
    }
    const auto signature = sign(key, text);
    logon.setField(FIX::FIELD::RawDataLength, std::to_string(signature.size()));
    logon.setField(FIX::FIELD::RawData, signature);
}

/// Prints all that the engine tells. Initiators have threads, and also call from that of main.
class Reporter : public FIX::Application {
public:
    explicit Reporter(Output& output) : output(output) {}

    /// From now on it signs every Logon of a session.
    void signLogons(const FIX::SessionID& id, Key key) { keys[id] = std::move(key); }

    /// From now on these go onto every Logon of a session.
    void addToLogons(const FIX::SessionID& id, Fields fields) {
        const std::lock_guard lock(mutex);
        logonFields[id] = std::move(fields);
    }

    void onCreate(const FIX::SessionID&) override {}

    void onLogon(const FIX::SessionID& id) override { print("up", id); }

    void onLogout(const FIX::SessionID& id) override { print("down", id); }

    void toAdmin(FIX::Message& message, const FIX::SessionID& id) override {
        if (message.getHeader().getField(FIX::FIELD::MsgType) == FIX::MsgType_Logon) {
            const std::lock_guard lock(mutex);
            if (const auto found = keys.find(id); found != keys.end()) {
                putSignature(message, found->second);
            }
            for (const auto& [tag, value] : logonFields[id]) {
                message.setField(tag, value);
            }
        }
        print("out", id, message.toString());
    }

    void toApp(FIX::Message& message, const FIX::SessionID& id) override {
        print("out", id, message.toString());
    }

    void fromAdmin(const FIX::Message& message, const FIX::SessionID& id) override {
        print("in", id, message.toString());
    }

    void fromApp(const FIX::Message& message, const FIX::SessionID& id) override {
        print("in", id, message.toString());
    }

private:
    void print(const char* what, const FIX::SessionID& id, const std::string& message = "") {
        output.print(what + (" " + roleOf(id)) + " " + message);
    }

    Output& output;
    std::mutex mutex;  // for what follows
    std::map<FIX::SessionID, Fields> logonFields;
    std::map<FIX::SessionID, Key> keys;
};

/// An initiator for one session: certificates are a setting of initiators, not of sessions.
class Desk {
public:
    Desk(Reporter& reporter, const Options& options, const std::string& role)
        : options(settings(options, role)), stores(this->options), logs(this->options) {
        if (options.keys) {
            initiator = std::make_unique<FIX::SSLSocketInitiator>(
                reporter, stores, this->options, logs);
        } else {
            initiator = std::make_unique<FIX::SocketInitiator>(
                reporter, stores, this->options, logs);
        }
        FIX::Session::lookupSession(sessionOf(role))->logout();  // until told otherwise
        initiator->start();
    }

    void stop() { initiator->stop(true); }

private:
    FIX::SessionSettings options;
    FIX::FileStoreFactory stores;
    FIX::FileLogFactory logs;
    std::unique_ptr<FIX::Initiator> initiator;
};

/// What counts a group of which this field is, where that is there.
const std::map<int, int> COUNTS = {{269, 267}, {55, 146}, {75, 580}, {60, 580}};
/// What entries begin with, by what counts them.
const std::map<int, int> DELIMITERS = {{267, 269}, {146, 55}, {580, 75}};

void send(FIX::Session& session, const std::string& text) {
    FIX::Message message;
    for (const auto& [tag, value] : parse(text)) {
        const auto count = COUNTS.find(tag);
        if (tag == FIX::FIELD::MsgType) {
            message.getHeader().setField(tag, value);
        } else if (count != COUNTS.end() && message.isSetField(count->second)) {
            const int delimiter = DELIMITERS.at(count->second);
            if (tag == delimiter) {
                message.addGroup(FIX::Group(count->second, delimiter));
            }
            const auto last = static_cast<int>(message.groupCount(count->second));
            message.getGroupRef(last, count->second).setField(tag, value);
        } else {
            message.setField(tag, value);
        }
    }
    session.send(message);
}

/// Carries out one line.
void obey(Reporter& reporter, const std::string& line) {
    std::istringstream words(line);
    std::string command, role, rest;
    words >> command >> role >> std::ws;
    std::getline(words, rest);
    const auto id = sessionOf(role);
    auto& session = *FIX::Session::lookupSession(id);
    if (command == "logon") {
        reporter.addToLogons(id, parse(rest));
        session.logon();
    } else if (command == "logout") {
        session.logout();
    } else if (command == "send") {
        send(session, rest);
    } else if (command == "numbers") {
        int out = 0, in = 0;
        std::istringstream(rest) >> out >> in;
        if (out > 0) {
            session.setNextSenderMsgSeqNum(out);
        }
        if (in > 0) {
            session.setNextTargetMsgSeqNum(in);
        }
    } else {
        throw std::invalid_argument("not understood: " + line);
    }
}

void run(Output& output, const Options& options) {
    Reporter reporter(output);
    std::vector<std::unique_ptr<Desk>> desks;
    for (const std::string role : Options::ROLES) {
        if (options.keys) {
            if (auto key = readKey(*options.keys + "/" + role + ".ed25519.pem")) {
                reporter.signLogons(sessionOf(role), std::move(key));
            }
        }
        desks.push_back(std::make_unique<Desk>(reporter, options, role));
    }
    for (std::string line; std::getline(std::cin, line);) {
        obey(reporter, line);
    }
    for (const auto& desk : desks) {
        desk->stop();
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 5 && count != 6) {
        std::cerr << "usage: client DICTIONARY DIRECTORY BUYER_PORT SELLER_PORT [KEYS]\n";
        return 2;
    }
    Options options{
        arguments[1], arguments[2], {{"buyer", arguments[3]}, {"seller", arguments[4]}}, {}};
    if (count == 6) {
        options.keys = arguments[5];
    }
    Output output(options.directory);
    try {
        run(output, options);
        return 0;
    } catch (const std::exception& error) {
        output.print(std::string("error ") + error.what());
        std::_Exit(1);  // the engine's threads may still be at work
    }
}
