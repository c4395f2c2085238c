// A small exchange on QuickFIX/Go: limit orders, matched by price and then time.
//
// Arguments: data dictionary, directory for stores, port, number of sessions. Their CompIDs are
// LOAD1 and so on. Prints "ready" once it listens, and ends with its standard input.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/quickfixgo/quickfix"
	storefile "github.com/quickfixgo/quickfix/store/file"
)

// All checks of incoming messages that the engine has; stores are files, there is no log. Files are
// not synced, as those of the engines beside it.
const defaults = `
[DEFAULT]
ConnectionType=acceptor
BeginString=FIX.4.4
SenderCompID=SEAMARK
SocketAcceptHost=127.0.0.1
SocketAcceptPort=%[3]s
FileStorePath=%[2]s
FileStoreSync=N
DataDictionary=%[1]s
RejectInvalidMessage=Y
ValidateFieldsOutOfOrder=Y
ValidateUserDefinedFields=Y
AllowUnknownMsgFields=N
CheckLatency=Y
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("usage: acceptor DICTIONARY DIRECTORY PORT SESSIONS")
	}
	sessions, err := strconv.Atoi(arguments[3])
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, defaults, arguments[0], arguments[1], arguments[2])
	for number := 1; number <= sessions; number++ {
		fmt.Fprintf(&text, "[SESSION]\nTargetCompID=LOAD%d\n", number)
	}
	settings, err := quickfix.ParseSettings(strings.NewReader(text.String()))
	if err != nil {
		return err
	}
	stores, logs := storefile.NewStoreFactory(settings), quickfix.NewNullLogFactory()
	acceptor, err := quickfix.NewAcceptor(newExchange(), stores, settings, logs)
	if err != nil {
		return err
	}
	if err := acceptor.Start(); err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	acceptor.Stop()
	return nil
}
