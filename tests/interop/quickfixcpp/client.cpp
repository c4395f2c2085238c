// Two QuickFIX C++ initiators, a buyer and a seller, which do what standard input says.
//
// Arguments: data dictionary, directory for stores and logs, port of the buyer, of the seller.
// The commands, and what is printed, are described in ../script/client.py.

#include <ctime>
#include <mutex>

#include "engine.h"

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
)";

/// A time of the day, so many hours from now.
std::string hoursFromNow(int hours) {
    const std::time_t then = std::time(nullptr) + hours * 3600;
    std::ostringstream text;
    text << std::put_time(std::gmtime(&then), "%H:%M:%S");
    return text.str();
}

FIX::SessionSettings settings(char** arguments) {
    std::stringstream text;
    // QuickFIX 1.15 knows no session without end, and begins anew at its end: that is far from now.
    text << SETTINGS << "StartTime=" << hoursFromNow(-1) << "\nEndTime=" << hoursFromNow(11)
         << "\nDataDictionary=" << arguments[0] << "\nFileStorePath=" << arguments[1]
         << "\nFileLogPath=" << arguments[1]
         << "\n[SESSION]\nSenderCompID=QFC_BUYER\nSocketConnectPort=" << arguments[2]
         << "\n[SESSION]\nSenderCompID=QFC_SELLER\nSocketConnectPort=" << arguments[3] << '\n';
    return FIX::SessionSettings(text);
}

FIX::SessionID sessionOf(const std::string& role) {
    return {"FIX.4.4", role == "buyer" ? "QFC_BUYER" : "QFC_SELLER", "SEAMARK"};
}

std::string roleOf(const FIX::SessionID& id) {
    return id.getSenderCompID().getValue() == "QFC_BUYER" ? "buyer" : "seller";
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

/// Prints all that the engine tells. It has a thread of its own, and also calls from that of main.
class Reporter : public FIX::Application {
public:
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
        const std::lock_guard lock(mutex);
        std::cout << what << ' ' << roleOf(id) << ' ' << message << std::endl;
    }

    std::mutex mutex;
    std::map<FIX::SessionID, Fields> logonFields;
};

void send(FIX::Session& session, const std::string& text) {
    FIX::Message message;
    for (const auto& [tag, value] : parse(text)) {
        if (tag == FIX::FIELD::MsgType) {
            message.getHeader().setField(tag, value);
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

}  // namespace

int main(int count, char** arguments) {
    if (count != 5) {
        std::cerr << "usage: client DICTIONARY DIRECTORY BUYER_PORT SELLER_PORT\n";
        return 2;
    }
    try {
        const auto options = settings(arguments + 1);
        Reporter reporter;
        FIX::FileStoreFactory stores(options);
        FIX::FileLogFactory logs(options);
        FIX::SocketInitiator initiator(reporter, stores, options, logs);
        for (const auto* role : {"buyer", "seller"}) {
            FIX::Session::lookupSession(sessionOf(role))->logout();  // until told otherwise
        }
        initiator.start();
        for (std::string line; std::getline(std::cin, line);) {
            obey(reporter, line);
        }
        initiator.stop(true);
        return 0;
    } catch (const std::exception& error) {
        std::cout << "error " << error.what() << std::endl;
        std::_Exit(1);  // the engine's thread may still be at work
    }
}
