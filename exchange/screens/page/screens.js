"use strict";
// What a client of /ws looks like: it says hello to a venue's screens, subscribes, and keeps what it
// is shown. An update that is not the next one makes it subscribe again, which brings everything.

const $ = (id) => document.getElementById(id);
const own = { symbol: "", depth: 20, group: 1, interval_ms: 250 };
const book = { seq: 0, bids: new Map(), asks: new Map() };
let hello = null;
let socket = null;
let ticker = { seq: 0 };
let tape = { seq: 0, trades: [] };
let status = { state: "stale", stale: [], reason: "" };
let heard = 0;
let wait = 500;
let isDrawing = false;

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}${location.pathname.replace(/[^/]*$/, "")}ws`);
  socket.onmessage = (event) => take(JSON.parse(event.data));
  socket.onclose = (event) => {
    const why = event.reason || "the connection was lost";
    status = { state: "stale", stale: [own.symbol], reason: `${why}; trying again` };
    draw();
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, 10000);
  };
}

function take(message) {
  heard = Date.now();
  switch (message.type) {
    case "hello":
      hello = message;
      wait = 500;
      choose();
      // fall through
    case "status":
    case "heartbeat":
      status = message;
      break;
    case "snapshot":
    case "update":
      if (message.symbol === own.symbol) show(message);
      break;
    case "error":
      $("foot").textContent = message.text;
  }
  draw();
}

function show(message) {
  const kept = { book, ticker, trades: tape }[message.channel];
  if (message.type === "update" && message.prev !== kept.seq) {
    subscribe(message.channel);
    return;
  }
  if (message.channel === "book") {
    if (message.type === "snapshot") {
      if (message.group !== own.group || message.depth !== own.depth) return;
      book.bids.clear();
      book.asks.clear();
    }
    for (const side of ["bids", "asks"]) {
      for (const [price, size, orders] of message[side]) {
        if (size === "0") book[side].delete(price);
        else book[side].set(price, { size, orders });
      }
    }
    book.seq = message.seq;
  } else if (message.channel === "ticker") {
    ticker = message.type === "snapshot" ? message : Object.assign(ticker, message);
  } else {
    const before = message.type === "snapshot" ? [] : tape.trades;
    tape = { seq: message.seq, trades: before.concat(message.trades).slice(-40) };
  }
}

function subscribe(channel) {
  const wanted = { op: "subscribe", channel, symbols: [own.symbol], interval_ms: own.interval_ms };
  if (channel === "book") Object.assign(wanted, { depth: own.depth, group: own.group });
  socket.send(JSON.stringify(wanted));
}

function look(symbol) {
  if (own.symbol && own.symbol !== symbol) {
    for (const channel of hello.channels) {
      socket.send(JSON.stringify({ op: "unsubscribe", channel, symbols: [own.symbol] }));
    }
  }
  own.symbol = symbol;
  location.hash = encodeURIComponent(symbol);
  book.bids.clear();
  book.asks.clear();
  ticker = { seq: 0 };
  tape = { seq: 0, trades: [] };
  steps();
  hello.channels.forEach(subscribe);
  for (const button of $("symbols").children) {
    button.setAttribute("aria-pressed", String(button.textContent === symbol));
  }
}

function choose() {
  $("venue").textContent = hello.venue;
  const symbols = hello.symbols.map((one) => one.symbol);
  $("symbols").replaceChildren(...symbols.map((symbol) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = symbol;
    button.onclick = () => { look(symbol); draw(); };
    return button;
  }));
  fill("depth", hello.depths, String);
  fill("interval", hello.intervals_ms, (one) => (one < 1000 ? `${one} ms` : `${one / 1000} s`), "interval_ms");
  const wanted = decodeURIComponent(location.hash.slice(1));
  look(symbols.includes(own.symbol) ? own.symbol : symbols.includes(wanted) ? wanted : symbols[0]);
}

function steps() {
  const tick = hello.symbols.find((one) => one.symbol === own.symbol).tick;
  const digits = (tick.split(".")[1] || "").length;
  fill("group", hello.groups, (one) => (Number(tick) * one).toFixed(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""));
}

function fill(id, values, words, name = id) {
  if (!values.includes(own[name])) own[name] = values[0];
  $(id).replaceChildren(...values.map((value) => {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = words(value);
    option.selected = value === own[name];
    return option;
  }));
  $(id).onchange = (event) => {
    own[name] = Number(event.target.value);
    (name === "interval_ms" ? hello.channels : ["book"]).forEach(subscribe);
  };
}

function draw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    paint();
  });
}

function paint() {
  const isStale = status.stale.includes(own.symbol) || !own.symbol;
  document.body.classList.toggle("stale", isStale);
  $("state").className = isStale ? "stale" : "live";
  $("state").textContent = isStale ? `stale: ${status.reason || "waiting for data"}` : "live";
  $("state").title = status.reason;
  const symbol = hello && hello.symbols.find((one) => one.symbol === own.symbol);
  if (!symbol) return;
  const tick = symbol.tick;
  $("currency").textContent = symbol.currency;
  $("last").textContent = ticker.last ? pad(ticker.last, tick) : "\u2013";
  $("last").className = ticker.last_side || "";
  for (const name of ["open", "high", "low"]) $(name).textContent = ticker[name] ? pad(ticker[name], tick) : "\u2013";
  $("volume").textContent = ticker.volume || "\u2013";
  $("spread").textContent = ticker.bid && ticker.ask ? pad(minus(ticker.ask, ticker.bid), tick) : "\u2013";
  document.title = `${$("last").textContent} ${own.symbol} \u00b7 ${hello.venue}`;
  const most = Math.max(total(book.bids), total(book.asks)) || 1;
  side("bids", tick, (one, other) => other - one, most, (cells) => cells.reverse());
  side("asks", tick, (one, other) => one - other, most, (cells) => cells);
  const trades = tape.trades.slice(-own.depth - 4).reverse().map((one) => row(
    [one.time.slice(11, 23), pad(one.price, tick), one.size], ["few", one.side, ""]));
  fillBody(document.querySelector("#trades tbody"), trades, "no trades yet", 3);
}

function side(id, tick, order, most, arrange) {
  let sum = 0;
  const rows = [...book[id]].sort((one, other) => order(Number(one[0]), Number(other[0]))).slice(0, own.depth);
  fillBody(document.querySelector(`#${id} tbody`), rows.map(([price, { size, orders }]) => {
    sum += Number(size);
    const line = row(arrange([pad(price, tick), size, brief(sum), String(orders)]), arrange(["", "", "few", "few"]));
    line.style.setProperty("--bar", `${Math.round((sum / most) * 100)}%`);
    return line;
  }), `no ${id}`, 4);
}

function row(texts, classes) {
  const line = document.createElement("tr");
  texts.forEach((text, at) => {
    const cell = line.insertCell();
    cell.textContent = text;
    cell.className = classes[at];
  });
  return line;
}

function fillBody(body, rows, words, columns) {
  if (!rows.length) {
    const line = row([words], [""]);
    line.className = "empty";
    line.cells[0].colSpan = columns;
    rows = [line];
  }
  body.replaceChildren(...rows);
}

// A decimal with as many digits as its grid has.
function pad(text, step) {
  const digits = (step.split(".")[1] || "").length;
  const [front, back = ""] = text.split(".");
  return digits ? `${front}.${back.padEnd(digits, "0")}` : text;
}

const total = (rows) => [...rows.values()].reduce((sum, one) => sum + Number(one.size), 0);
const brief = (value) => String(Number(value.toPrecision(6)));

// Exact for what is shown: decimals as whole numbers of their last digit.
function minus(one, other) {
  const digits = Math.max(...[one, other].map((text) => (text.split(".")[1] || "").length));
  const whole = (text) => {
    const [front, back = ""] = text.split(".");
    return BigInt(front + back.padEnd(digits, "0"));
  };
  const found = whole(one) - whole(other);
  const text = (found < 0n ? -found : found).toString().padStart(digits + 1, "0");
  const sign = found < 0n ? "-" : "";
  return sign + (digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text);
}

setInterval(() => {
  // A connection that is dead says nothing, not even a heartbeat.
  if (socket && socket.readyState === WebSocket.OPEN && Date.now() - heard > 15000) socket.close();
}, 1000);
connect();
