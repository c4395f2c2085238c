package main

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/quickfixgo/quickfix"
	logfile "github.com/quickfixgo/quickfix/log/file"
	storefile "github.com/quickfixgo/quickfix/store/file"
)

// The venue's own dictionary, and every check of incoming messages that the engine has: what fails
// one the engine answers with a Reject, and that ends the day.
const settings = `
[DEFAULT]
ConnectionType=initiator
SocketConnectHost=127.0.0.1
FileStorePath=%[4]s
FileStoreSync=N
FileLogPath=%[4]s
HeartBtInt=5
ReconnectInterval=1
# The engine's timer for a Logon outlives the connection, and would end a later one that is just
# logging on. So it is longer than the day.
LogonTimeout=600
# So that a busy machine has time for an orderly logout.
LogoutTimeout=10
ResetOnLogon=N
ResetOnLogout=N
ResetOnDisconnect=N
RejectInvalidMessage=Y
ValidateFieldsOutOfOrder=Y
ValidateUserDefinedFields=Y
AllowUnknownMsgFields=N
CheckLatency=Y

[SESSION]
BeginString=FIX.4.4
SenderCompID=QFG_%[1]s
TargetCompID=SEAMARK
SocketConnectPort=%[2]s
DataDictionary=%[3]s
`

// As above, and by TLS: a server whose certificate this authority has not issued, for the host that
// is connected to, is not talked to.
const secureSettings = settings + `
SocketUseSSL=Y
SocketCAFile=%[5]s/ca.pem
`

// The file has both.
const certificateSettings = `
SocketCertificateFile=%[1]s
SocketPrivateKeyFile=%[1]s
`

const (
	tagMsgType = 35
)

// client is one session with the venue. It prints all that the engine tells it.
//
// QuickFIX/Go has no way to log one session out and on again: the initiator is stopped, and a new
// one made, which finds the numbers in the store.
type client struct {
	role        string
	settings    *quickfix.Settings
	initiator   *quickfix.Initiator
	id          quickfix.SessionID
	logonFields atomic.Pointer[[]field] // which go onto every Logon
	key         ed25519.PrivateKey      // that signs them, if there is one
}

// newClient makes one that connects by TLS if there is a folder with keys.
func newClient(role, dictionary, directory, port, keys string) (*client, error) {
	c := &client{role: role}
	values := []any{strings.ToUpper(role), port, dictionary, directory}
	text := fmt.Sprintf(settings, values...)
	if keys != "" {
		text = fmt.Sprintf(secureSettings, append(values, keys)...)
		certificate := filepath.Join(keys, role+".pem")
		if _, err := os.Stat(certificate); err == nil {
			text += fmt.Sprintf(certificateSettings, certificate)
		}
		var err error
		if c.key, err = readKey(filepath.Join(keys, role+".ed25519.pem")); err != nil {
			return nil, err
		}
	}
	var err error
	if c.settings, err = quickfix.ParseSettings(strings.NewReader(text)); err != nil {
		return nil, err
	}
	return c, c.prepare()
}

// prepare makes an initiator that is not started yet.
func (c *client) prepare() error {
	logs, err := logfile.NewLogFactory(c.settings)
	if err != nil {
		return err
	}
	stores := storefile.NewStoreFactory(c.settings)
	c.initiator, err = quickfix.NewInitiator(c, stores, c.settings, logs)
	return err
}

func (c *client) logon(fields []field) error {
	c.logonFields.Store(&fields)
	return c.initiator.Start()
}

func (c *client) logout() error {
	c.initiator.Stop()
	return c.prepare()
}

// Groups by what counts them: their fields in order, of which each entry has the first.
var members = map[quickfix.Tag][]quickfix.Tag{267: {269}, 146: {55}, 580: {75, 60}}

// What counts a group of which this field is, where that is there.
var counts = map[quickfix.Tag]quickfix.Tag{269: 267, 55: 146, 75: 580, 60: 580}

func (c *client) send(fields []field) error {
	message := quickfix.NewMessage()
	groups := map[quickfix.Tag]*quickfix.RepeatingGroup{}
	var entry *quickfix.Group
	for _, f := range fields {
		if f.tag == tagMsgType {
			message.Header.SetString(tagMsgType, f.value)
		} else if count, known := counts[quickfix.Tag(f.tag)]; known && message.Body.Has(count) {
			group, found := groups[count]
			if !found {
				template := quickfix.GroupTemplate{}
				for _, tag := range members[count] {
					template = append(template, quickfix.GroupElement(tag))
				}
				group = quickfix.NewRepeatingGroup(count, template)
				groups[count] = group
			}
			if quickfix.Tag(f.tag) == members[count][0] {
				entry = group.Add()
			}
			entry.SetString(quickfix.Tag(f.tag), f.value)
		} else {
			message.Body.SetString(quickfix.Tag(f.tag), f.value)
		}
	}
	for _, group := range groups {
		message.Body.SetGroup(group)
	}
	return quickfix.SendToTarget(message, c.id)
}

func (c *client) setNumbers(out, in string) error {
	if number, err := strconv.Atoi(out); err != nil {
		return err
	} else if number > 0 {
		if err := quickfix.SetNextSenderMsgSeqNum(c.id, number); err != nil {
			return err
		}
	}
	if number, err := strconv.Atoi(in); err != nil {
		return err
	} else if number > 0 {
		return quickfix.SetNextTargetMsgSeqNum(c.id, number)
	}
	return nil
}

// --- for the engine ---------------------------------------------------------------------------

type rejection = quickfix.MessageRejectError

func (c *client) OnCreate(id quickfix.SessionID) { c.id = id }

func (c *client) OnLogon(quickfix.SessionID) { c.print("up", "") }

func (c *client) OnLogout(quickfix.SessionID) { c.print("down", "") }

func (c *client) ToAdmin(message *quickfix.Message, _ quickfix.SessionID) {
	if message.IsMsgTypeOf("A") {
		if c.key != nil {
			sign(message, c.key)
		}
		for _, f := range *c.logonFields.Load() {
			message.Body.SetString(quickfix.Tag(f.tag), f.value)
		}
	}
	c.print("out", outgoing(message))
}

func (c *client) ToApp(message *quickfix.Message, _ quickfix.SessionID) error {
	c.print("out", outgoing(message))
	return nil
}

func (c *client) FromAdmin(message *quickfix.Message, _ quickfix.SessionID) rejection {
	c.print("in", message.String())
	return nil
}

func (c *client) FromApp(message *quickfix.Message, _ quickfix.SessionID) rejection {
	c.print("in", message.String())
	return nil
}

// outgoing is a message as it will be. String would give one that is sent again as it was before.
func outgoing(message *quickfix.Message) string {
	var text strings.Builder
	for _, part := range []quickfix.FieldMap{message.Header.FieldMap, message.Body.FieldMap} {
		for _, tag := range part.Tags() {
			if value, err := part.GetString(tag); err == nil {
				fmt.Fprintf(&text, "%d=%s%s", tag, value, soh)
			}
		}
	}
	return text.String()
}

// print writes one line, at once, whatever goroutine it is that calls.
func (c *client) print(what, message string) {
	fmt.Fprintf(os.Stdout, "%s %s %s\n", what, c.role, message)
}
