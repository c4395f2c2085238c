"""Tag numbers and MsgType values, as the bytes that stand in a message.

Only those that code refers to by name are here; the dictionary knows the rest.
"""

from __future__ import annotations

from typing import Final

SOH: Final = b"\x01"
FIX44: Final = b"FIX.4.4"

# MsgType (35) values.
HEARTBEAT: Final = b"0"
TEST_REQUEST: Final = b"1"
RESEND_REQUEST: Final = b"2"
REJECT: Final = b"3"
SEQUENCE_RESET: Final = b"4"
LOGOUT: Final = b"5"
EXECUTION_REPORT: Final = b"8"
ORDER_CANCEL_REJECT: Final = b"9"
LOGON: Final = b"A"
NEWS: Final = b"B"
NEW_ORDER_SINGLE: Final = b"D"
ORDER_CANCEL_REQUEST: Final = b"F"
ORDER_CANCEL_REPLACE_REQUEST: Final = b"G"
NEW_ORDER_LIST: Final = b"E"
ORDER_STATUS_REQUEST: Final = b"H"
LIST_STATUS: Final = b"N"
MASS_QUOTE: Final = b"i"
MASS_QUOTE_ACKNOWLEDGEMENT: Final = b"b"
QUOTE_CANCEL: Final = b"Z"
QUOTE_STATUS_REPORT: Final = b"AI"
ORDER_MASS_CANCEL_REQUEST: Final = b"q"
ORDER_MASS_CANCEL_REPORT: Final = b"r"
ORDER_MASS_STATUS_REQUEST: Final = b"AF"
SECURITY_DEFINITION_REQUEST: Final = b"c"
SECURITY_DEFINITION: Final = b"d"
SECURITY_STATUS_REQUEST: Final = b"e"
SECURITY_STATUS: Final = b"f"
TRADING_SESSION_STATUS_REQUEST: Final = b"g"
TRADING_SESSION_STATUS: Final = b"h"
SECURITY_LIST_REQUEST: Final = b"x"
SECURITY_LIST: Final = b"y"
TRADE_CAPTURE_REPORT_REQUEST: Final = b"AD"
TRADE_CAPTURE_REPORT: Final = b"AE"
TRADE_CAPTURE_REPORT_REQUEST_ACK: Final = b"AQ"
BUSINESS_MESSAGE_REJECT: Final = b"j"
MARKET_DATA_REQUEST: Final = b"V"
MARKET_DATA_SNAPSHOT: Final = b"W"
MARKET_DATA_INCREMENTAL: Final = b"X"
MARKET_DATA_REQUEST_REJECT: Final = b"Y"

#: Messages that are never sent again: a gap fill stands in for them. FIX 4.4 Volume 2, "Resend
#: Request": all administrative messages except Reject, which QuickFIX treats as one of them too.
ADMIN_TYPES: Final = frozenset(
    (HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, SEQUENCE_RESET, LOGOUT, LOGON)
)

#: Every application message of FIX 4.4: one that a dictionary leaves out is a message that the
#: application does not support, not an invalid MsgType.
APPLICATION_TYPES: Final = frozenset(
    b"6 7 8 9 B C D E F G H J K L M N P Q R S T V W X Y Z a b c d e f g h i j k l m n o p q r "
    b"s t u v w x y z AA AB AC AD AE AF AG AH AI AJ AK AL AM AN AO AP AQ AR AS AT AU AV AW AX "
    b"AY AZ BA BB BC BD BE BF BG BH".split()
)

# Standard header and session fields.
ACCOUNT: Final = b"1"
BEGIN_SEQ_NO: Final = b"7"
CL_ORD_ID: Final = b"11"
END_SEQ_NO: Final = b"16"
EXEC_ID: Final = b"17"
EXEC_INST: Final = b"18"
LAST_PX: Final = b"31"
LAST_QTY: Final = b"32"
MSG_SEQ_NUM: Final = b"34"
NEW_SEQ_NO: Final = b"36"
ORDER_ID: Final = b"37"
ORDER_QTY: Final = b"38"
ORD_STATUS: Final = b"39"
ORD_TYPE: Final = b"40"
ORIG_CL_ORD_ID: Final = b"41"
POSS_DUP_FLAG: Final = b"43"
PRICE: Final = b"44"
SENDER_COMP_ID: Final = b"49"
SENDER_SUB_ID: Final = b"50"
SENDING_TIME: Final = b"52"
SIDE: Final = b"54"
SYMBOL: Final = b"55"
TARGET_COMP_ID: Final = b"56"
TARGET_SUB_ID: Final = b"57"
TEXT: Final = b"58"
TIME_IN_FORCE: Final = b"59"
TRANSACT_TIME: Final = b"60"
VALID_UNTIL_TIME: Final = b"62"
LIST_ID: Final = b"66"
LIST_SEQ_NO: Final = b"67"
TOT_NO_ORDERS: Final = b"68"
NO_ORDERS: Final = b"73"
TRADE_DATE: Final = b"75"
SIGNATURE: Final = b"89"
SIGNATURE_LENGTH: Final = b"93"
RAW_DATA_LENGTH: Final = b"95"
RAW_DATA: Final = b"96"
POSS_RESEND: Final = b"97"
ENCRYPT_METHOD: Final = b"98"
STOP_PX: Final = b"99"
HEART_BT_INT: Final = b"108"
MIN_QTY: Final = b"110"
MAX_FLOOR: Final = b"111"
TEST_REQ_ID: Final = b"112"
ON_BEHALF_OF_COMP_ID: Final = b"115"
ON_BEHALF_OF_SUB_ID: Final = b"116"
QUOTE_ID: Final = b"117"
ORIG_SENDING_TIME: Final = b"122"
GAP_FILL_FLAG: Final = b"123"
EXPIRE_TIME: Final = b"126"
DELIVER_TO_COMP_ID: Final = b"128"
DELIVER_TO_SUB_ID: Final = b"129"
QUOTE_REQ_ID: Final = b"131"
BID_PX: Final = b"132"
OFFER_PX: Final = b"133"
BID_SIZE: Final = b"134"
OFFER_SIZE: Final = b"135"
RESET_SEQ_NUM_FLAG: Final = b"141"
SENDER_LOCATION_ID: Final = b"142"
TARGET_LOCATION_ID: Final = b"143"
ON_BEHALF_OF_LOCATION_ID: Final = b"144"
DELIVER_TO_LOCATION_ID: Final = b"145"
EXEC_TYPE: Final = b"150"
CASH_ORDER_QTY: Final = b"152"
EFFECTIVE_TIME: Final = b"168"
PEG_OFFSET_VALUE: Final = b"211"
MD_REQ_ID: Final = b"262"
SUBSCRIPTION_REQUEST_TYPE: Final = b"263"
MARKET_DEPTH: Final = b"264"
MD_UPDATE_TYPE: Final = b"265"
AGGREGATED_BOOK: Final = b"266"
MD_ENTRY_TYPE: Final = b"269"
NO_QUOTE_ENTRIES: Final = b"295"
NO_QUOTE_SETS: Final = b"296"
QUOTE_CANCEL_TYPE: Final = b"298"
QUOTE_ENTRY_ID: Final = b"299"
QUOTE_RESPONSE_LEVEL: Final = b"301"
QUOTE_SET_ID: Final = b"302"
TOT_NO_QUOTE_ENTRIES: Final = b"304"
SECURITY_REQ_ID: Final = b"320"
SECURITY_REQUEST_TYPE: Final = b"321"
SECURITY_STATUS_REQ_ID: Final = b"324"
TRAD_SES_REQ_ID: Final = b"335"
TRADING_SESSION_ID: Final = b"336"
MAX_MESSAGE_SIZE: Final = b"383"
BID_TYPE: Final = b"394"
EXPIRE_DATE: Final = b"432"
PRODUCT: Final = b"460"
TEST_MESSAGE_INDICATOR: Final = b"464"
MASS_CANCEL_REQUEST_TYPE: Final = b"530"
USERNAME: Final = b"553"
PASSWORD: Final = b"554"
SECURITY_LIST_REQUEST_TYPE: Final = b"559"
TRADE_REQUEST_ID: Final = b"568"
TRADE_REQUEST_TYPE: Final = b"569"
MASS_STATUS_REQ_ID: Final = b"584"
MASS_STATUS_REQ_TYPE: Final = b"585"
NEXT_EXPECTED_MSG_SEQ_NUM: Final = b"789"
ORD_STATUS_REQ_ID: Final = b"790"
PEG_OFFSET_TYPE: Final = b"836"
LAST_LIQUIDITY_IND: Final = b"851"
NEW_PASSWORD: Final = b"925"
TRIGGER_PRICE_TYPE: Final = b"1107"
CONTINGENCY_TYPE: Final = b"1385"
NONCE: Final = b"5025"
SELF_TRADE_PREVENTION: Final = b"7928"
CANCEL_ON_DISCONNECT: Final = b"8013"
CANCEL_SCOPE: Final = b"8014"
CANCEL_GRACE: Final = b"8015"
REQUEST_WINDOW: Final = b"8016"
POST_ONLY_ACTION: Final = b"8019"
ORDERS_AT_LOGON: Final = b"8020"
PROTECTION_RESET: Final = b"8022"
MARKET_STATE: Final = b"8021"
BEGIN_RPT_SEQ: Final = b"8024"
END_RPT_SEQ: Final = b"8025"
MD_UPDATE_INTERVAL: Final = b"8026"
BOOK_CHECKSUM_WANTED: Final = b"8028"
AFTER_EXEC_ID: Final = b"8060"
END_EXEC_ID: Final = b"8061"
CANCEL_ON_DISCONNECT_ALIAS: Final = b"8674"

YES: Final = b"Y"

#: What proves who somebody is: never to be seen in a log, a journal or an error.
SECRETS: Final = frozenset((RAW_DATA, PASSWORD, NEW_PASSWORD))

#: Length field -> the data field that follows it and may hold any byte, SOH included.
DATA_LENGTHS: Final = {
    b"90": b"91",
    b"93": b"89",
    b"95": b"96",
    b"212": b"213",
    b"348": b"349",
    b"350": b"351",
    b"352": b"353",
    b"354": b"355",
    b"356": b"357",
    b"358": b"359",
    b"360": b"361",
    b"362": b"363",
    b"364": b"365",
    b"445": b"446",
    b"618": b"619",
    b"621": b"622",
}
