"""UK given names with their diminutives and spellings (P: our own list).

Between two semicolons is one name: any two of its words may stand for each other. A word may stand in several (Alex
is Alexander and Alexandra), which does not make those the same name. Words are written as `names.fold` gives them.
"""

_GROUPS = """
aaron arran ron ronnie; abdul abdullah abdallah; abigail abi abbie abby gail; abraham abe abram ibrahim ebrahim;
adam adam addy; adelaide addie heidi; adrian ade adie; agnes aggie nessie; ahmed ahmad achmed; aidan aiden adan;
alan allan allen al; alastair alasdair alistair alister ali al; albert al bert bertie albie;
alexander alex alec alexei sandy xander sasha al lex alick sacha;
alexandra alex alexa sandra sasha lexi lexie sandy alix sacha; alfred alf alfie fred freddie al; alice ali allie alys;
alison allison ali allie; amanda mandy manda; amelia amelie millie mille emmy amy; andrea andie andi;
andrew andy drew andre; angela angie ange; anita nita; ann anne anna annie hannah;
annabel anabel annabelle bella belle annie; anthony antony tony ant; antoinette toni nettie; antonia toni tonia;
archibald archie archy baldie; arthur art artie; ashley ashleigh ash ashlea; augustus gus august;
barbara babs barb barbie bab; barnaby barney; barry baz bazza barrie; bartholomew bart;
beatrice bea bee beatrix trixie; belinda bel linda lindy; benedict ben benny; benjamin ben benny benji benjie;
bernadette bernie detta; bernard bernie; bethany beth bethanie; bradley brad; brian bryan;
bridget bridie biddy bridgette brigid; bronwen bron bronwyn; caitlin kate katie caitlyn katelyn kaitlyn;
callum calum cal; cameron cam; carl karl; carol carole carrie caz; caroline carrie caro carol lina carolyn;
cassandra cass cassie sandra;
catherine katherine kathryn katharine catharine cath cathy kath kathy kate katie katy kat kitty kay cate;
cecilia cissie celia cecily; chantelle shantel chantel chantal; charles charlie chas chuck chaz charley;
charlotte charlie lottie lotte char charley charly; cheryl sheryl; chloe khloe cloe; christian chris;
christina tina chris chrissie christine chrissy kristina; christine chris chrissie chrissy tina;
christopher chris kit kris topher; clare claire clair; clifford cliff; colin col; connor conor con; constance connie;
craig craigie; cynthia cindy; cyril cy; daniel dan danny dani; danielle dani danni; darren daz dazza darryn;
david dave davy davey dai dafydd davie; dawn dawnie; deborah debbie deb debra debs; declan dec; dennis denis den denny;
derek del derrick; desmond des; diana di diane dianne; dominic dom dominick nick; donald don donnie; donna donnie;
dorothy dot dottie dolly dorothea; douglas doug dougie duggie; duncan dunc; dylan dillon; edith edie;
edmund ed eddie ned ted; edward ed eddie ned ted teddy eddy; edwin ed eddie ned; eileen aileen;
eleanor ellie nell nellie elinor elle nora ella eleanora ellen;
elizabeth liz lizzie lizzy beth betty bess bessie eliza elisabeth libby lisa betsy lily liza elsie lilibet;
ellen nell nellie ellie helen; eloise ellie; emily em emmie emilie millie; emma em emmie; eric erik; ernest ernie;
esther hester essie; ethel eth; euan ewan ewen iwan owen; eugene gene; evelyn eve evie; ezekiel zeke;
fatima fatema fatimah; felicity fliss flick; fiona fi; florence flo florrie flossie; frances fran frankie fanny franny;
francesca fran frankie chess cesca; francis frank frankie fran; frederick fred freddie freddy frederic rick;
gabriel gabe gabby; gabrielle gabby gabi gaby gabriella ella; gareth gary gaz garth; gary garry gaz; gavin gav;
gemma jemma gem; geoffrey jeffrey geoff jeff; george georgie; georgina georgie gina georgia georgiana;
gerald gerry jerry ged; geraldine gerry; gerard gerry ged gerrard; gertrude gertie trudy;
gillian jill gill jillian gilly; gordon gordie; grace gracie; graham graeme grahame; gregory greg gregg greig;
gwendoline gwen gwendolyn wendy; gwyneth gwyn gwen; hannah hanna annie; harold harry hal;
harriet hattie harriett hatty harry; harrison harry; harry henry; hasan hassan; hayley hailey haley; heather hev;
helen helena nell nellie ellen helene lena; henrietta hettie etta henny; henry harry hal hank;
herbert bert bertie herb; hilary hillary; hugh hughie huw hugo; humphrey humph; hussain hussein husain hussayn;
ian iain; imogen immy immie; irene rene renie; isaac zac ike isaak;
isabel isabella isobel isabelle izzy bella issy belle bel ishbel; jack jackie jak; jacob jake;
jacqueline jackie jacqui jacky jaqueline; james jim jimmy jamie jem jimmie; jane janey janie jayne; janet jan jannet;
janice jan janis; jasmine jaz jas jazmin yasmin; jason jay jase; jean jeanie jeannie jeanne; jeffrey jeff;
jemima jem mima; jennifer jenny jen jenni jennie jenna; jeremy jerry jez jem; jerome jerry; jessica jess jessie;
jillian jill; joan joanie; joanna jo joanne joann; joanne jo joanna; jocelyn joss jo; john jack johnny jon johnnie;
jonathan jon jonny johnathan jonathon john johnny jonny jono; jordan jord jordon;
joseph joe joey jo yusuf yousef yusef; josephine jo josie fifi; joshua josh; joyce joy; judith judy jude judi;
julia julie jules; julian jules jools julien; juliet jules juliette; justin jus; karen kaz karin karon;
kathleen kath kathy kate cathleen kay kitty; katrina catriona trina kat katriona; kelly kel kellie kelley;
kenneth ken kenny; kevin kev; kieran kieron kieren ciaran; kimberley kim kimberly kimmy;
kirsten kirsty kirstin kirstie; laura laurie loz lori lauren; lauren loz laurie;
laurence lawrence larry laurie lauren loz; leah lea; lee leigh; leonard len lenny leo leon; leslie lesley les;
lewis louis lew louie; liam william; lillian lily lil lilian lilly; linda lynda lin lyn lindy;
lindsay lindsey linsey linzi lyndsey lynsey; lorraine lorri raine; louis lou louie; louisa lou lulu;
louise lou lulu louisa; lucinda cindy lucy; lucy lucie lucinda lou luce; luke lucas; lydia liddy; lynn lynne lyn lin;
mackenzie mac kenzie; madeleine maddie maddy madeline madelaine mads; magdalena magda lena; malcolm mal malc;
marc mark; marcus marc mark; margaret maggie meg peggy marge margie madge greta rita maisie mags peg margery marjorie;
maria marie mary mia; marian marion; marilyn marlyn lynn; marjorie marge margie; martha mattie marty;
martin marty martyn mart; mary molly polly may mae; matilda tilly mattie tilda till; matthew matt mat matty mathew;
maureen mo; maurice morris mo; maxine max; maxwell max maximilian maxim; megan meg meggie meghan; melanie mel;
melissa mel lissa missy; mercedes mercy; michael mike mick micky mickey mikey mik micheal mikael;
michelle shell chelle mich michele; mildred millie milly; miranda mandy randy; miriam mim mimi maryam mariam;
mitchell mitch; mohammed mohamed mohammad muhammad muhammed mohamad muhamed mohamud mo mohd md; moira moyra;
mustafa mustapha moustafa; nancy nan; natalie nat nathalie talia; natasha tasha nat; nathan nathaniel nat nate;
neil neal niall; nicholas nick nicky nicolas nico nik klaus; nicola nicky nicki nikki nic nicole;
nicole nicky nikki nicola; nigel nige; norma norm; norman norm; oliver ollie olly oli noll;
olivia liv livvy ollie livi olive; oscar ossie oskar; oswald oz ozzie; pamela pam;
patricia pat trish tricia patsy patti paddy trisha; patrick pat paddy rick padraig; paul paulie; paula pauline polly;
penelope pen penny; percival percy; peter pete petey; petronella nell; philip phil phillip pip philly;
philippa pip pippa philipa phillipa; phoebe phebe; phyllis phyl; prudence pru prue; rachel rach rachael rae;
ralph rafe raff; ramona mona; randolph randy; raphael raff rafe; raymond ray;
rebecca becky becca bex beck rebekah reba becki; reginald reg reggie; rhiannon rhi; rhys reece rees reese;
richard rick dick ricky rich richie dickie rik; robert rob bob bobby robbie bert robby bobbie; roberta bobbie robbie;
robin rob robyn; roderick rod roddy rory; rodney rod roddy; roger rodge rodger; roland rolly rowland;
ronald ron ronnie ronny; rosalind ros roz; rosamund ros roz; rose rosie; roseanne rose rosie rosanne roseann;
rosemary rose rosie romy; rowena ro; roy leroy; rupert rupe; russell russ russel; ruth ruthie; ryan rian;
sally sal sarah; samantha sam sammy sammie; samuel sam sammy; sandra sandy; sarah sara sally sadie sal; saul sol;
scott scotty; sean shaun shawn shane; sebastian seb bas; shannon shan; sharon shaz shazza sharron;
sheila sheelagh shelagh; shirley shirl; sidney sid sydney syd; sigmund siggy; simon si; simone sim; siobhan shivaun;
solomon sol solly suleiman; sophia sophie sophy sofia soph; spencer spence; stacey stacy; stanley stan; stella estelle;
stephanie steph steff stef stephany stefanie; stephen steve steven stevie ste stephan; stuart stewart stu stew;
susan sue susie suzy suki suzie; susannah sue susie suzanna susanna hannah suzannah; suzanne sue suzy suze susanne;
sylvia silvia syl; tabitha tabby; tamara tammy tam; tamsin tammy tam; terence terry tel terrance;
teresa theresa terri tess tessa tracy terry; thelma thel; theodora dora theo; theodore theo ted teddy;
thomas tom tommy thom tam; timothy tim timmy; tobias toby; tracy tracey trace; trevor trev; tristan tris tristram;
valentine val; valerie val; vanessa ness nessa; veronica ronnie vera nica; victor vic vik;
victoria vicky vicki tori vic vikki vickie tory; vincent vince vinny vin; violet vi; virginia ginny ginger;
vivien vivian viv vivienne; walter wally walt; warren waz; wayne wain; wilfred wilf fred wilfrid;
wilhelmina mina minnie billie; william bill will billy willy liam willie wil; winifred winnie fred freda; winston win;
yusuf yousuf yusef yousaf youssef; yvette evette; yvonne evonne; zachary zac zach zack zak zachariah; zoe zoey
"""

# Common names without a diminutive of their own: what says that Jayden is not a misspelt Hayden.
_OTHERS = """
aaliyah aayan abbas adeel adele adil afzal aisha akash aleena alina aliza amara amber amina amir amit anaya anil
anjali anwar arjun arlo arya asad asha asif asim audrey aurora ava avery ayaan ayesha ayla ayub bailey bashir beau
bilal blake bonnie brandon brenda brody bryony caleb carla carly carmen carter casey celine chelsea claudia cleo cody
cole corey daisy dale damian damien damon dana darcey darcy daria dean deepak demi dexter doreen doris eden edna ehsan
elaine eleni eli elias elijah elise elliot elliott ellis elodie elsa emerson emilia emmanuel erin ester ethan eva ezra
faisal faith farah farhan faye felix finlay finley fletcher flora freya gita glen glenn gloria habib hafsa hamish
hamza hana haris harley harper harvey hasnain hayden hazel hina holli holly hope hudson humza ida imran inaya ines
ingrid iris isha isla ismail israel ivan ivy jade jaden jagdeep jamal jared jaspreet javed jaxon jayden jenson jesse
joel jonah june kai kaiden kamal kamran kara kareem karim karina kavita keira kelvin keziah khadija khalid kian kiera
kiran kobe kofi kurt kyle kyra lacey laila lana lance layla leanne leona leyla lila lola lorna luca luka luna lyla
mabel maha malik mandeep manjit manpreet marina marlon marvin mason maya meera mehmet mila milo mira mohsin mollie
monica morgan musa mya myles myra nadia nadine naomi nasir naveed nazia neha nelson nia nina nisha noah noor norah
nusrat olga omar osman otis otto pavel perry piotr pooja poppy preeti priya quentin raheem rahul raj rajan rajesh
ramesh rashid ravi reuben rhona riaz riley rocco roman ronan rosa ross rowan ruben ruby rukhsana rumi sadia safa
safiya saira sajid salma sameer sami samir sana sandeep sanjay saqib savannah scarlett selina serena shabana shahid
shamim shayla sienna simran skye sohail sonia sonya stefan sumaya summer sunil susana tahir tanya tara tariq taylor
thea tia tiana todd tyler umair umar usman vijay vikram wahid waqas wasim willow xavier yahya yara yasin yasir yusra
zahra zain zainab zane zara zayn zeeshan zia zubair
"""


GROUPS = tuple(frozenset(group.split()) for group in _GROUPS.split(";"))
"""The folded names that are forms of each other."""


def _groups_of() -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, group in enumerate(GROUPS):
        for name in group:
            groups.setdefault(name, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in groups.items()}


GROUPS_OF = _groups_of()
"""The numbers of the GROUPS that each folded name belongs to."""

COMMON = frozenset(GROUPS_OF).union(_OTHERS.split())
"""Folded given names in common use: two of them are two names, however alike."""
