// A small exchange on QuickFIX C++: limit orders, matched by price and then time.
//
// Arguments: data dictionary, directory for stores, port, number of sessions. Their CompIDs are
// LOAD1 and so on. Prints "ready" once it listens, and ends with its standard input.

#include <cstdint>
#include <list>

#include "engine.h"

namespace {

// All checks of incoming messages that the engine has; stores are files, there is no log.
constexpr auto SETTINGS = R"(
[DEFAULT]
ConnectionType=acceptor
BeginString=FIX.4.4
SenderCompID=SEAMARK
SocketNodelay=Y
SocketReuseAddress=Y
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=Y
ValidateFieldsOutOfOrder=Y
ValidateFieldsHaveValues=Y
ValidateUserDefinedFields=Y
ValidateLengthAndChecksum=Y
AllowUnknownMsgFields=N
CheckCompID=Y
CheckLatency=Y
)";

struct Order {
    FIX::SessionID session;
    std::string id;
    std::string clOrdId;
    std::string symbol;
    char side;
    double price;
    double quantity;
    double filled = 0;
    double value = 0;  // of what is filled

    double leaves() const { return quantity - filled; }
};

struct Book {
    std::map<double, std::list<Order>, std::greater<>> bids;  // best first, oldest first
    std::map<double, std::list<Order>> asks;
};

class Exchange : public FIX::Application, public FIX44::MessageCracker {
public:
    void onCreate(const FIX::SessionID&) override {}
    void onLogon(const FIX::SessionID&) override {}
    void onLogout(const FIX::SessionID&) override {}
    void toAdmin(FIX::Message&, const FIX::SessionID&) override {}
    void toApp(FIX::Message&, const FIX::SessionID&) override {}
    void fromAdmin(const FIX::Message&, const FIX::SessionID&) override {}

    void fromApp(const FIX::Message& message, const FIX::SessionID& session) override {
        crack(message, session);
    }

    void onMessage(const FIX44::NewOrderSingle& message, const FIX::SessionID& session) override {
        FIX::ClOrdID clOrdId;
        FIX::Symbol symbol;
        FIX::Side side;
        FIX::OrdType type;
        FIX::Price price;
        FIX::OrderQty quantity;
        message.get(clOrdId);
        message.get(symbol);
        message.get(side);
        message.get(type);
        message.get(price);
        message.get(quantity);
        if (type != FIX::OrdType_LIMIT) {
            throw FIX::IncorrectTagValue(type.getTag());
        }
        Order order{session, std::to_string(++orders), clOrdId, symbol, side, price, quantity};
        report(order, FIX::ExecType_NEW, 0, 0);
        auto& book = books[order.symbol];
        if (order.side == FIX::Side_BUY) {
            match(order, book.bids, book.asks);
        } else {
            match(order, book.asks, book.bids);
        }
    }

private:
    /// Trades with the best of the other side while there is one, then rests.
    template <typename Own, typename Other>
    void match(Order& taker, Own& own, Other& other) {
        while (taker.leaves() > 0 && !other.empty()) {
            const auto level = other.begin();
            const auto price = level->first;
            if (taker.side == FIX::Side_BUY ? price > taker.price : price < taker.price) {
                break;
            }
            auto& maker = level->second.front();
            const auto quantity = std::min(taker.leaves(), maker.leaves());
            fill(taker, price, quantity);
            fill(maker, price, quantity);
            if (maker.leaves() <= 0) {
                level->second.pop_front();
                if (level->second.empty()) {
                    other.erase(level);
                }
            }
        }
        if (taker.leaves() > 0) {
            own[taker.price].push_back(taker);
        }
    }

    void fill(Order& order, double price, double quantity) {
        order.filled += quantity;
        order.value += price * quantity;
        report(order, FIX::ExecType_TRADE, price, quantity);
    }

    void report(const Order& order, char execType, double price, double quantity) {
        const auto status = order.filled == 0      ? FIX::OrdStatus_NEW
                            : order.leaves() > 0 ? FIX::OrdStatus_PARTIALLY_FILLED
                                                 : FIX::OrdStatus_FILLED;
        FIX44::ExecutionReport report(
            FIX::OrderID(order.id), FIX::ExecID(std::to_string(++executions)),
            FIX::ExecType(execType), FIX::OrdStatus(status), FIX::Side(order.side),
            FIX::LeavesQty(order.leaves()), FIX::CumQty(order.filled),
            FIX::AvgPx(order.filled > 0 ? order.value / order.filled : 0));
        report.set(FIX::ClOrdID(order.clOrdId));
        report.set(FIX::Symbol(order.symbol));
        report.set(FIX::OrdType(FIX::OrdType_LIMIT));
        report.set(FIX::OrderQty(order.quantity));
        report.set(FIX::Price(order.price));
        report.set(FIX::TransactTime(FIX::UtcTimeStamp(), 3));
        if (quantity > 0) {
            report.set(FIX::LastQty(quantity));
            report.set(FIX::LastPx(price));
        }
        FIX::Session::sendToTarget(report, order.session);
    }

    std::map<std::string, Book> books;
    std::uint64_t orders = 0;
    std::uint64_t executions = 0;
};

FIX::SessionSettings settings(char** arguments) {
    std::stringstream text;
    text << SETTINGS << "DataDictionary=" << arguments[1] << "\nFileStorePath=" << arguments[2]
         << "\nSocketAcceptPort=" << arguments[3] << '\n';
    for (int number = 1; number <= std::stoi(arguments[4]); ++number) {
        text << "[SESSION]\nTargetCompID=LOAD" << number << '\n';
    }
    return FIX::SessionSettings(text);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 5) {
        std::cerr << "usage: acceptor DICTIONARY DIRECTORY PORT SESSIONS\n";
        return 2;
    }
    try {
        const auto options = settings(arguments);
        Exchange exchange;
        FIX::FileStoreFactory stores(options);
        FIX::SocketAcceptor acceptor(exchange, stores, options);  // one thread, so no locks
        acceptor.start();
        std::cout << "ready" << std::endl;
        for (std::string line; std::getline(std::cin, line);) {
        }
        acceptor.stop(true);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
