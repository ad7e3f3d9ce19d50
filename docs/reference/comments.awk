# The headers' comments as Doxygen reads them: every one documents what it stands in front of, or beside; text in them is
# text, but for `code`, and what is indented by three is code as a whole.

function escaped(text,    parts, n, i, out) {
  n = split(text, parts, "`")
  for (i = 1; i <= n; ++i) {
    if (i % 2 == 1 || i == n) gsub(/[<>@\\#%&]/, "\\\\&", parts[i])
    out = out (i > 1 ? "`" : "") parts[i]
  }
  return out
}

# A line of a comment, without what makes it one. Code needs an empty line in front of it.
function line_of(lead, text,    code) {
  code = text ~ /^   /
  if (code && !in_code && !blank) print lead
  blank = text ~ /^ *$/
  if (!blank) in_code = code
  print lead (code ? "  " text : escaped(text))
}

FNR == 1 {
  blank = 1
  in_code = in_block = 0
  opens_file = 1
}

# C++: lines of their own.
/^ *\/\/ ?/ && !in_block {
  match($0, /^ */)
  indent = substr($0, 1, RLENGTH)
  text = substr($0, RLENGTH + 3)
  if (opens_file) print "/// @file"
  else if (!in_lines) blank = 1
  opens_file = 0
  in_lines = 1
  if (beside) print indent "///< " escaped(text)
  else line_of(indent "///", text)
  next
}

{ in_lines = 0; if (!in_block) in_code = 0 }

# C: blocks that begin a line.
/^ *\/\*/ && !in_block {
  match($0, /^ *\/\*/)
  indent = substr($0, 1, RLENGTH - 2)
  text = substr($0, RLENGTH + 1)
  print indent "/**" (opens_file ? " @file" : "")
  opens_file = 0
  blank = 1
  in_code = 0
  in_block = text !~ /\*\/ *$/
  if (!in_block) sub(/ *\*\/ *$/, "", text)
  line_of(indent " *", text)
  if (!in_block) print indent " */"
  next
}
in_block {
  text = $0
  sub(/^ *\*?/, "", text)
  if ($0 ~ /\*\/ *$/) {
    sub(/ *\*?\/? *$/, "", text)
    in_block = 0
  }
  if (text != "") line_of(indent " *", text)
  else line_of(indent " *", "")
  if (!in_block) print indent " */"
  next
}

# What stands beside code, and goes on in lines of its own below it.
match($0, /  \/\/ /) {
  print substr($0, 1, RSTART - 1) " ///<" escaped(substr($0, RSTART + 4))
  beside = 1
  next
}
match($0, / +\/\* .*\*\/ *$/) {
  text = substr($0, RSTART, RLENGTH)
  sub(/^ +\/\* /, "", text)
  sub(/ *\*\/ *$/, "", text)
  print substr($0, 1, RSTART - 1) " /**< " escaped(text) " */"
  next
}

{ print }
{ beside = 0 }
