module seamark/bench

go 1.23

require github.com/quickfixgo/quickfix v0.9.1

require (
	github.com/armon/go-proxyproto v0.1.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/shopspring/decimal v1.4.0 // indirect
	github.com/stretchr/testify v1.9.0 // indirect
	golang.org/x/net v0.24.0 // indirect
)
