e $((2**3**2)) $((-2**2)) $((7&3|8)) $((1<<4)) $((~5)) $((!3)) $((5>3)) $((2#101)) $((010))

x=5; e $((x>3 ? 10 : 20)) $((x<3 ? 10 : x*2)) $(((x+1)*2)) $((x++)) $((++x)) $x $((x--,x))

x=1; y=x+1; e $((y*2)) $(( $y*2 )) $(("$x"+1))

x=0; ((x++)) || e zero; ((x++)) && e one; ((x+=5,x*=2)); e $x; let x=x-3 y=2; e $x $y

x=0; e $((0 && x++)) $((1 || x++)) $x $((1 && ++x)) $x

for ((i=1, j=10; i<=3; i++, j+=10)); do e $i $j; done; e $i

for ((i=3;i;i--)); do e $i; done; for ((;;)); do e once; break; done

a=(4 5); ((a[1]++, a[2]=9)); e ${a[@]} $((a[0]+${a[1]}))

((n<5 && n>=0)) && e both; ((n!=0 || 0)) || e none; n=3; (( ! n )) || e set

declare -A m=([ssh]=22 [web]=80); m[dns]=53; n=dns; e ${m[ssh]} ${m[$n]} ${#m[@]} x${m[no]}

declare -A m; m[b c]=1; m[a]=2; m[b c]=3; e "${m[b c]}" "${!m[@]}" "${m[@]}"

declare -A m=([x]=1 [y]=2); unset 'm[x]'; for k in ${!m[@]}; do e $k ${m[$k]}; done

declare -A n; for w in a b ssh lan wan http; do n[$w]+=1; done; e ${!n[@]} ${n[lan]}

f() { local -A m=([a]=1); e ${m[a]}; }; m=(0 9); f; e ${m[1]}

m=([5]=five [2]=two z); e ${m[5]} ${m[6]} ${!m[@]} ${#m[@]} ${m[-1]}; m+=(w); e ${!m[@]}

m=(a b c); unset 'm[0]'; e ${#m[@]} ${!m[@]} ${m[1]} ${m[-1]}; m=(${m[@]}); e ${!m[@]}

x=abcdef; e ${x:0:-1} ${x: -2} ${x:(-3):2} ${x^} ${x^^} ${x^^[ace]}; X=ABC; e ${X,} ${X,,}

y=a-b-c; e ${y/#a/z} ${y/%c/z} ${y/#/z} ${y/%/z} ${y/#b/z} ${y//-} ${y/-} ${y/-/\/}

set -- p q r; e ${@: -1} ${@:2} ${*:1:2}; a=(p q r); e ${a[@]: -2:1} ${a[@]:0:2}

declare -i n=2+3; n+=4; e $n; declare -u u=drop; e $u; typeset -l l=ABC; l+=D; e $l

f() { e one; }; unset -f f; f 2>/dev/null || e gone

set -e; e one; false; e two

set -e; false || e a; false && e b; ! true; if false; then e c; fi; e d; (false); e f

set -e; f() { false; e on$1; }; f || e no; if f 2; then e yes; fi; f; e never

set -e; f() { local x=$(false); e kept; }; f; y=$(false); e never

set -o errexit; set +e; false; e on; set -e; ((0)); e never

set -eo pipefail; false | true; e never

set -e; x=0; while [ $x -lt 2 ]; do e $x; x=$((x+1)); done; [ $x = 9 ]; e never

false; e $?; x=$(exit 3); e $?; rc=$?; true; e $? $rc; (exit 4); e $?; y=$?; e $y

f() { return 7; }; f; e $?; f || e n$?; if f; then :; else e x$?; fi; ! f; e $?

false | true; e ${PIPESTATUS[0]} $?; true | false; e $? ${PIPESTATUS[@]}

trap 'e end' EXIT; e one; exit 0; e never

trap 'e end' 0; trap - EXIT; trap 'e int' INT TERM; e one

trap 'e failed; exit 1' ERR; e one; false || true; false; e never

f() { e bye; }; trap f EXIT; set -e; e one; false; e never

f() { exec true; }; e one; (f; e never); e two; exec true; e never

x=1; { x=2; e in; } & wait; e $x

set -- -p 22 -vd x y; while getopts p:dv o; do e $o $OPTARG; done; shift $((OPTIND-1)); e $@

x=0
[ $x -eq 0 ] && e a
e b 2>/dev/null
if [ $x -ne 1 ]; then e c; fi
[ $x ] && e d

c=abc; [[ $c == "a*" ]] || e quoted; [[ $c == a* ]] && e plain; p="a*"; [[ $c == $p ]] && e p

c="x y"; [[ $c == x* && ! $c == *z ]] && e both; [[ a < b ]] && e less

ip=10.1.2.3/24; [[ $ip =~ ^([0-9.]+)/([0-9]+)$ ]] && e ${BASH_REMATCH[@]} ${#BASH_REMATCH[@]}

re='^[a-z]+$'; [[ abc =~ $re ]] && e word; [[ ab1 =~ $re ]] || e no ${#BASH_REMATCH[@]}

[[ 10.0.0.1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] && e dotted ${BASH_REMATCH[1]}

[[ a.b =~ "." ]] && e dot; [[ ab =~ "." ]] || e plain; [[ ab =~ a|b ]] && e either

[[ eth0.10 =~ ^eth[[:digit:]]+(\.[[:digit:]]+)?$ ]] && e ${BASH_REMATCH[1]}

x=; declare -A m=([k]=1); [[ -v x ]] && e x; unset z; [[ -v z ]] || e z; [[ -v m[k] ]] && e k

x=1; case $x in 1) e one ;& 2) e two ;; 3) e three;; esac

case abc in a*) e a ;;& *c) e c ;;& b*) e b ;; *) e star ;; esac

e $(echo 22,80 | cut -d, -f2) $(echo a:b:c | cut -d: -f1,3) $(echo abcdef | cut -c2-3,5-)

e $(printf '3\n1\n10\n3\n' | sort -n | uniq) $(echo accept | tr a-z A-Z) $(echo a-b|tr -d -)

e $(echo 'a b c' | wc -w) $(seq 5 | head -2) $(seq 5 | tail -n 1) $(seq 5 | tail -n +4)

e $(seq 3 | paste -sd,) $(seq 3 | tac) $(echo 'a  b' | tr -s ' ' ,) $(echo 1,2 | tr ',' '\n')

e $(echo '10.0.0.1/24 x' | awk '{print $1}') $(echo a:b | awk -F: '{ print $2, $1 }')

e $(seq 4 | awk 'NR==2') $(printf 'ip x\nno y\n' | awk '/^ip/ {print $2}') $(echo a b|awk '{print $NF}')

e $(echo 10.0.0.1/24 | sed 's,/.*,,') $(echo aXbX | sed 's/X/-/g;s/b/c/') $(seq 3 | sed -n 2p)

e $(seq 4 | sed '1d;/3/d') $(echo ab12 | sed -E 's/([a-z]+)([0-9]+)/\2\1/') $(echo a.b | sed 's/\./_/')

e $(echo 'x=1' | sed -e 's/.*=//') $(echo 'ab' | sed 's/b/[&]/') $(printf 'a\n#c\n' | sed '/^#/d')

e $(printf 'a1\nb2\n' | grep b) $(printf 'a\nB\n' | grep -ci b) $(echo eth0:1 | grep -oE '[0-9]+')

echo a b | grep -q c || e no; echo a.b | grep -qF a.b && e yes; echo ab | grep -w a || e word

printf '%s\n' '# x' 22 '' 80 | grep -v '^#' | grep . | while read p; do e $p; done

for i in $(seq -w 8 11) $(seq -s, 3); do e $i; done; e $(expr 2 + 3) $(expr 7 / 2); i=`expr 1 - 1` || e 0

e "$(echo 'a\nb')" "$(echo -e 'a\nb')" "$(printf '%03d|%-4s|%4s|%x' 7 ab c 255)"; printf -v n 'c_%02d' 7; e $n

n=1; while read p; do n=$((n+1)); e $p; done < <(printf '22\n80\n'); e $n; readarray -t m < <(seq 2); e ${m[1]}

shopt -s expand_aliases
alias f='e -w'
f x
\e y
z=1
\e z

n=1; seq 2 | while read x; do n=$x; done; e $n; { read a; read b; } < <(seq 2); e $a$b

set -- -x -p; while getopts :p: o; do e $o $OPTARG; done; e $OPTIND

f() { local OPTIND=1 o; while getopts ab: o; do e $o $OPTARG; done; }; f -ab5 -a; f -b7 -- -a

set -- -t 1 -u 2 -v 3 -w 4 -x 5 last
while :; do case "${1-}" in -?) e $1 $2; shift ;; *) break ;; esac; shift; done
e $# $1

f() { false; local rc=$?; e $rc; return $rc; }; f || e $?; declare "x=5"; e $x; n=y; export "$n=6"; e $y

e $(printf 'a #c\n' | sed -e 's/#.*//' -e 's/[[:space:]]*$//') $(printf 'b\nc\n' | grep -e b -e d)

set -- q r
cat <<X | while read x; do e $x; done
a
$1
$@ $#
X

f() { :; }; e $(type -t f) $(command -v f); type f >/dev/null && e there; declare -f f >/dev/null && e made

t=$(mktemp); echo 'p=4; g() { e g$1; }' > $t; . $t; e $p; g 1; echo 'e() { printf "%s\0\n\0" $1; }; e inner' > $t; rm -f $t

n=0; while true; do n=$((n+1)); [ $n -gt 20 ] && break; done; e $n

IFS=';' read -r a b c d <<< "udp;53;;dns"; for i in "$a" "$b" "x$c" "$d"; do e $i; done; IFS=, read a b <<< "p,q,r,"; e $a $b; IFS=: read a b <<< "p:q:"; e $b

IFS=:; v=a::b:; for i in $v; do e "x$i"; done; v=:a; e x$v; v=' p : q '; set -- $v; e "$#$2"; IFS=', '; v='a, b ,,c'; set -- $v; e $# "$1$2$4"

IFS=, read -ra l <<< "a,,b"; e ${#l[@]} ${l[2]}; IFS=' :' read a b c <<< " x : y z:w "; e $a $b "$c"; read a b <<< "  p   q  r  "; e "$a-$b"

set -- 7 8; e $1-$2 $1:$2 s$1$2 $1.$2.$1 "$1/$2" -$1,$2; x=1; e $x$1 $1$x ${1}0; for i do e $i; done

f() { declare -g G=9; local L=8; }; f; L=1; e $G $L

e $(echo 'inet addr:10.1.2.3 B' | sed -n 's/.*addr:\([0-9.]*\).*/\1/p') $(printf 'a\nb\n' | sed -n 's/a/c/p')

echo a | tee /dev/null | cat >/dev/null
e b 2>&1 | cat
e c; if echo x | grep -q x; then
e d 2>&1 | cat
fi

while read x; do cat >/dev/null; e $x; done < <(printf 'one\ntwo\n')

m=(1 2 3); unset m[1]; e ${#m[@]} ${m[2]}; C=c; F=${C/c/}; e "f$F" x${C:1}y

for i in 08 09; do e $((10#$i + 1)); done; [[ 8 -eq 10#08 ]] && e base

case abc in [[:alpha:]]*) e alpha;; esac; case 1x in [![:digit:]]*) e no;; [[:digit:][:space:]]?) e yes;; esac; x=a1b; e ${x//[[:digit:]]/-}

t=$(mktemp); { echo c; echo d; } > $t; for l in $(< $t); do e $l; done; rm -f $t

a=10 b=9
[ "$a" \> "$b" ] || e less
((a > b)) && e more $a

f() { local v; e x$v; v=1; }; v=out; f; e $v; g() { unset v; }; g; e y$v

read -r -d '' T <<X
a b
c
X
e $? "$T"; export $(echo 'AA=1 BB=2'); e $AA $BB

set -- one 'two 3'; e $1_x "$1_$2" ${1}a "$1a" a$1\$ "$1"\$ ${z:-"g h"}i ${z:-g h} x\ y "a"\ b
