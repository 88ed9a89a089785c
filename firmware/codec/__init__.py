"""Speech codecs: one file and one row of CODECS each."""
