// Two QuickFIX/Go initiators, a buyer and a seller, which do what standard input says.
//
// Arguments: data dictionary, directory for stores and logs, port of the buyer, of the seller, and
// to connect by TLS a folder with keys.
// The commands, and what is printed, are described in ../script/client.py.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	keys := ""
	switch len(arguments) {
	case 4:
	case 5:
		keys = arguments[4]
	default:
		return errors.New("usage: client DICTIONARY DIRECTORY BUYER_PORT SELLER_PORT [KEYS]")
	}
	clients := map[string]*client{}
	for i, role := range []string{"buyer", "seller"} {
		var err error
		clients[role], err = newClient(role, arguments[0], arguments[1], arguments[2+i], keys)
		if err != nil {
			return err
		}
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		command, rest, _ := strings.Cut(lines.Text(), " ")
		role, rest, _ := strings.Cut(rest, " ")
		if err := obey(clients[role], command, rest); err != nil {
			return fmt.Errorf("%s %s: %w", command, role, err)
		}
	}
	return lines.Err()
}

// obey carries out one command.
func obey(c *client, command, rest string) error {
	if c == nil {
		return errors.New("no such role")
	}
	switch command {
	case "logon":
		return c.logon(parse(rest))
	case "logout":
		return c.logout()
	case "send":
		return c.send(parse(rest))
	case "numbers":
		out, in, _ := strings.Cut(rest, " ")
		return c.setNumbers(out, in)
	}
	return errors.New("not understood")
}

// field is one of a message.
type field struct {
	tag   int
	value string
}

const soh = "\x01"

// parse takes "11=a", "55=b" with SOH in between.
func parse(text string) []field {
	var fields []field
	for _, part := range strings.Split(text, soh) {
		name, value, _ := strings.Cut(part, "=")
		if tag, err := strconv.Atoi(name); err == nil {
			fields = append(fields, field{tag, value})
		}
	}
	return fields
}
