// English words that say how a sentence is built and not what it is about, put together for this
// library by part of speech. In lower case, an apostrophe inside as texts have it.
const PARTS = [
  // articles, pronouns, determiners
  'a an the this that these those i me my mine myself we us our ours ourselves you your yours',
  'yourself yourselves he him his himself she her hers herself it its itself they them their',
  'theirs themselves one ones oneself who whom whose which what whatever whichever whoever',
  'all any anybody anyone anything both each either every everybody everyone everything few',
  'fewer less many more most much neither no nobody none nothing other others another own same',
  'several some somebody someone something such',
  // prepositions and conjunctions
  'about above across after against along amid among amongst around as at before behind below',
  'beneath beside besides between beyond but by concerning despite down during except for from',
  'in inside into like near of off on onto out outside over past per regarding since than through',
  'throughout till to toward towards under underneath unless until unto up upon via whereas',
  'whether while with within without and or nor so yet because although though if lest once',
  // auxiliary verbs
  'am is are was were be been being have has had having do does did doing done can could may',
  'might must shall should will would ought cannot',
  "isn't aren't wasn't weren't haven't hasn't hadn't don't doesn't didn't can't couldn't mustn't",
  "shan't shouldn't won't wouldn't i'm you're he's she's it's we're they're i've you've we've",
  "they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll we'll they'll that's there's",
  "here's what's who's where's how's let's",
  // adverbs of place, time, degree and of sentences
  'here there where when why how then thence thus therefore hence now again also already always',
  'almost away back else enough even ever everywhere far further furthermore however indeed',
  'instead just least likewise maybe meanwhile moreover mostly namely nearly nevertheless never',
  'not nonetheless nowhere often only otherwise perhaps quite rather really seldom sometimes',
  'somewhat somewhere soon still therein thereby thereof together too very well whence wherever',
  'whereby wherein hereby herein yes',
];

export const ENGLISH: readonly string[] = [...new Set(PARTS.flatMap((part) => part.split(' ')))];
