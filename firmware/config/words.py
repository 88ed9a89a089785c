"""The English words for faults and notes: text id → (what is wrong, what would be right).

`{got}` is the value as it was written (never a secret); the other names are given by the check.
"""

WORDS: dict[str, tuple[str, str]] = {
    # The file as a whole.
    "unreadable": ("cannot be read: {reason}", "check the name and its rights"),
    "too_big": ("the file has {size} bytes", "a configuration has at most {limit}"),
    "not_utf8": ("this is not UTF-8 text", 'save the file as "UTF-8"'),
    "utf16": ("the file is UTF-16", 'save it as "UTF-8" (in Notepad: Save as, Encoding)'),
    "syntax": ("this cannot be read ({detail})", 'write: key = value, with text in "quotes"'),
    "set_twice": ("this is set twice", "leave one of them out"),
    "too_deep": ("brackets are nested too deeply", "no setting needs more than two levels"),
    # Names.
    "unknown_near": ("there is no such key", "did you mean `{near}`?"),
    "unknown_far": ("there is no such key", "known here: {known}"),
    "missing": ("this is missing", "write {key} = {example}  # {sentence}"),
    "need_table": ("{got} is {type}", "write a table: [{key}]"),
    "need_lines": ("a single [line] is not a list of lines", "write [[line]] with two brackets"),
    "need_line_list": ("{got} is {type}", "write a [[line]] table for each line"),
    "name_taken": ("another line is called {got} too", "give each [[line]] a `name` of its own"),
    "server_needed": ("this is empty", "write the PBX's host, or register = false"),
    # Kinds of value.
    "need_text": ("{got} is {type}", "write text in quotes{example}"),
    "need_whole": ("{got} is {type}", "write a whole number from {low} to {high}"),
    "need_flag": ("{got} is {type}", "write true or false"),
    "need_list": ("{got} is {type}", 'write a list of texts: ["…", "…"]'),
    "need_range": ("{got} is {type}", "write two port numbers: [40000, 40999]"),
    "out_of_range": ("{got} is out of range", "write a whole number from {low} to {high}"),
    "bad_range": (
        "{got} is no range of ports",
        "write [low, high] within {low} to {high}, low < high",
    ),
    "range_parity": ("{got} holds no even port with the odd one after it", "make it wider"),
    "not_one_of": ("{got} is not known", "write {options}"),
    "not_one_of_near": ("{got} is not known", "did you mean {near}? (possible: {options})"),
    "listed_twice": ("{got} is listed twice", "leave one of them out"),
    "empty": ("this is empty", "write {right}"),
    "control_characters": ("there is a control character in it", "write printable text only"),
    "too_long": ("this has {length} characters", "at most {limit}"),
    "bad_form": ("{got} does not fit", "write {right}"),
    # Things that contradict each other.
    "loop_with_play": (
        "`loop` sends each call's own audio back",
        "so leave `audio.play` empty or set loop = false",
    ),
    "half_certificate": ("a client certificate needs both", "write `cert` and `key`, or neither"),
    # Notes: the phone runs, but a person may want to know.
    "note_no_lines": ("no [[line]] is configured: the phone can make no call", ""),
    "note_file_only": ('only card = "file" uses this', ""),
    "note_open_page": ("the web page can be reached from other machines", ""),
    "note_no_verify": ("the server's certificate is not verified", ""),
    "note_no_callers": ("without `register` and `peers` only {server} may call this line", ""),
    "note_any_auto": ("every caller the server lets through is put on the air at once", ""),
    "note_not_emergency": ("these are dialled like any other number: {got}", ""),
    "note_blocked": ("this line stays down: {reason}", ""),
    "note_srtp_prefer": ("encrypted media is not in this version: calls are in the clear", ""),
    # This machine, as `deskphone check` finds it.
    "no_codec": ("none of these codecs can be loaded here: {reason}", "add pcmu or pcma"),
    "no_board": ("{reason}", ""),
    "note_codec": ("{name} is left out of calls: {reason}", ""),
    "note_library": ("{library} is missing ({effect})", "install the package {package}"),
    "note_port": ("port {port}/{protocol} is taken by {holder}", ""),
    "note_address": ("{address} is no address of this machine", ""),
    "note_file": ("{got} cannot be read here: {reason}", ""),
    "note_zone": ("{got} is no zone that this machine knows, so the clock shows UTC", "{near}"),
    "note_unused": ("this version accepts the setting but does nothing with it yet", ""),
}
