"""Every registered SIP response code, with its usual phrase and what it means for a caller.

Where the numbers come from: RFC 3261 §21 and the IANA registry that later RFCs fill. A code that
is not here is treated as the x00 of its class (RFC 3261 §8.1.3.2).
"""

import enum
from typing import Self


class Status(enum.IntEnum):
    """A response code; equal to its number."""

    phrase: str
    description: str

    def __new__(cls, code: int, phrase: str, description: str) -> Self:
        """Make the member from its row in the table."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.phrase = phrase
        member.description = description
        return member

    TRYING = 100, "Trying", "the next hop has the request and works on it"
    RINGING = 180, "Ringing", "the far end's bell rings"
    CALL_IS_BEING_FORWARDED = 181, "Call Is Being Forwarded", "the call goes to another place"
    QUEUED = 182, "Queued", "the call waits in a queue"
    SESSION_PROGRESS = 183, "Session Progress", "something is happening, perhaps audible"
    EARLY_DIALOG_TERMINATED = 199, "Early Dialog Terminated", "one fork has given up"

    OK = 200, "OK", "done"
    ACCEPTED = 202, "Accepted", "taken on, the outcome comes later"
    NO_NOTIFICATION = 204, "No Notification", "subscribed, and no first NOTIFY will follow"

    MULTIPLE_CHOICES = 300, "Multiple Choices", "there are several addresses to choose from"
    MOVED_PERMANENTLY = 301, "Moved Permanently", "the address has changed for good"
    MOVED_TEMPORARILY = 302, "Moved Temporarily", "try the address given"
    USE_PROXY = 305, "Use Proxy", "only the proxy given may be used"
    ALTERNATIVE_SERVICE = 380, "Alternative Service", "another kind of service is offered instead"

    BAD_REQUEST = 400, "Bad Request", "the request could not be understood"
    UNAUTHORIZED = 401, "Unauthorized", "user and password are wanted"
    PAYMENT_REQUIRED = 402, "Payment Required", "reserved"
    FORBIDDEN = 403, "Forbidden", "understood and refused; asking again will not help"
    NOT_FOUND = 404, "Not Found", "nobody of that name here"
    METHOD_NOT_ALLOWED = 405, "Method Not Allowed", "this address does not serve the method"
    NOT_ACCEPTABLE = 406, "Not Acceptable", "no answer fits the request's Accept header"
    PROXY_AUTHENTICATION_REQUIRED = (
        407,
        "Proxy Authentication Required",
        "the proxy wants user and password",
    )
    REQUEST_TIMEOUT = 408, "Request Timeout", "no answer in time"
    GONE = 410, "Gone", "it was here and will not come back"
    CONDITIONAL_REQUEST_FAILED = (
        412,
        "Conditional Request Failed",
        "the published state that was to change is not there",
    )
    REQUEST_ENTITY_TOO_LARGE = 413, "Request Entity Too Large", "the body is too big"
    REQUEST_URI_TOO_LONG = 414, "Request-URI Too Long", "the address is too long"
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported Media Type", "the body is of a kind not understood"
    UNSUPPORTED_URI_SCHEME = (
        416,
        "Unsupported URI Scheme",
        "the address is of a kind not understood",
    )
    UNKNOWN_RESOURCE_PRIORITY = (
        417,
        "Unknown Resource-Priority",
        "none of the priorities asked for is known",
    )
    BAD_EXTENSION = 420, "Bad Extension", "an extension is required that is not supported"
    EXTENSION_REQUIRED = 421, "Extension Required", "an extension is missing from Supported"
    SESSION_INTERVAL_TOO_SMALL = (
        422,
        "Session Interval Too Small",
        "the session timer is shorter than allowed",
    )
    INTERVAL_TOO_BRIEF = 423, "Interval Too Brief", "the expiry is shorter than allowed"
    BAD_LOCATION_INFORMATION = 424, "Bad Location Information", "the location could not be used"
    BAD_ALERT_MESSAGE = 425, "Bad Alert Message", "the alert could not be used"
    USE_IDENTITY_HEADER = 428, "Use Identity Header", "a signed identity is wanted"
    PROVIDE_REFERRER_IDENTITY = (
        429,
        "Provide Referrer Identity",
        "who asked for this call must be named and signed",
    )
    FLOW_FAILED = 430, "Flow Failed", "the connection to the far end is gone"
    ANONYMITY_DISALLOWED = 433, "Anonymity Disallowed", "callers must show who they are"
    BAD_IDENTITY_INFO = 436, "Bad Identity Info", "the certificate of the identity is not there"
    UNSUPPORTED_CREDENTIAL = 437, "Unsupported Credential", "the identity's signer is not accepted"
    INVALID_IDENTITY_HEADER = 438, "Invalid Identity Header", "the identity's signature is wrong"
    FIRST_HOP_LACKS_OUTBOUND_SUPPORT = (
        439,
        "First Hop Lacks Outbound Support",
        "the first proxy does not keep connections",
    )
    MAX_BREADTH_EXCEEDED = 440, "Max-Breadth Exceeded", "the call was to fork too widely"
    BAD_INFO_PACKAGE = 469, "Bad Info Package", "the INFO package was not negotiated"
    CONSENT_NEEDED = 470, "Consent Needed", "a recipient has not agreed to be called by a list"
    TEMPORARILY_UNAVAILABLE = 480, "Temporarily Unavailable", "nobody answers there now"
    CALL_DOES_NOT_EXIST = (
        481,
        "Call/Transaction Does Not Exist",
        "the call that this belongs to is not known",
    )
    LOOP_DETECTED = 482, "Loop Detected", "the request came back to where it has been"
    TOO_MANY_HOPS = 483, "Too Many Hops", "the request was passed on too often"
    ADDRESS_INCOMPLETE = 484, "Address Incomplete", "more digits are needed"
    AMBIGUOUS = 485, "Ambiguous", "the name fits several people"
    BUSY_HERE = 486, "Busy Here", "this phone is busy"
    REQUEST_TERMINATED = 487, "Request Terminated", "the caller has hung up first"
    NOT_ACCEPTABLE_HERE = 488, "Not Acceptable Here", "no codec or setting in common"
    BAD_EVENT = 489, "Bad Event", "this kind of subscription is not served"
    REQUEST_PENDING = 491, "Request Pending", "both ends changed the call at once"
    UNDECIPHERABLE = 493, "Undecipherable", "the body could not be decrypted"
    SECURITY_AGREEMENT_REQUIRED = (
        494,
        "Security Agreement Required",
        "a security mechanism must be agreed on first",
    )

    SERVER_INTERNAL_ERROR = 500, "Server Internal Error", "the far end has a fault"
    NOT_IMPLEMENTED = 501, "Not Implemented", "the method is not known there"
    BAD_GATEWAY = 502, "Bad Gateway", "the gateway got a bad answer"
    SERVICE_UNAVAILABLE = 503, "Service Unavailable", "overloaded or down for now"
    SERVER_TIME_OUT = 504, "Server Time-out", "a server behind the server did not answer"
    VERSION_NOT_SUPPORTED = 505, "Version Not Supported", "the SIP version is not 2.0"
    MESSAGE_TOO_LARGE = 513, "Message Too Large", "the message is too big"
    PUSH_NOTIFICATION_SERVICE_NOT_SUPPORTED = (
        555,
        "Push Notification Service Not Supported",
        "the push service is not known",
    )
    PRECONDITION_FAILURE = 580, "Precondition Failure", "a condition of the call was not met"

    BUSY_EVERYWHERE = 600, "Busy Everywhere", "busy, and no other phone will take the call"
    DECLINE = 603, "Decline", "the person does not want the call"
    DOES_NOT_EXIST_ANYWHERE = 604, "Does Not Exist Anywhere", "nobody of that name anywhere"
    NOT_ACCEPTABLE_ANYWHERE = 606, "Not Acceptable", "no phone of that person can take the call"
    UNWANTED = 607, "Unwanted", "the person calls this an unwanted call"
    REJECTED = 608, "Rejected", "a machine on the way refused the call"


_PHRASES = {int(status): status.phrase for status in Status}
_CLASSES = {
    1: "Session Progress",
    2: "OK",
    3: "Multiple Choices",
    4: "Bad Request",
    5: "Server Internal Error",
    6: "Busy Everywhere",
}


def phrase_for(code: int) -> str:
    """The usual reason phrase of a code, or that of its class if nobody registered it."""
    return _PHRASES.get(code) or _CLASSES.get(code // 100, "Unknown")
