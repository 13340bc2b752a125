# The first process of a box: makes a private root, moves into it and runs the
# script $1 there, which should not end.
# In: DIR, the server's folder on the machine; STATE, where it is in the box;
# LAYER, a folder that lies over the machine's root, or empty.
set -o pipefail
trap 'exit 77' ERR
ns=$DIR/root
mkdir -p "$ns"
mount -t tmpfs -o size=256m,mode=755 postbag "$ns"
mkdir "$ns/up" "$ns/work" "$ns/root"
mount -t overlay postbag -o "lowerdir=/,upperdir=$ns/up,workdir=$ns/work" "$ns/root"
cd "$ns/root"
if [ -n "$LAYER" ]; then
  # A copy: overlayfs refuses a layer that lies in another one. /lib is a link.
  tar -C "$LAYER" -cf - . | tar -xf - --keep-directory-symlink
fi
mount -t proc proc proc
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 dev dev
for d in null zero full random urandom; do
  : >"dev/$d"
  mount --bind "/dev/$d" "dev/$d"
done
mkdir -m 1777 dev/shm
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/2 dev/stderr
ln -s "$STATE/syslog" dev/log
echo mail.example.com >proc/sys/kernel/hostname
for f in hosts nsswitch.conf resolv.conf; do rm -f "etc/$f"; done # no name lookups
echo '127.0.0.1 localhost mail.example.com' >etc/hosts
printf '%s: files\n' passwd group shadow hosts services protocols >etc/nsswitch.conf
mkdir -p ".$STATE"
mount --bind "$DIR" ".$STATE"
mount -t tmpfs -o mode=755 mail ".$STATE/mail"
trap - ERR
exec chroot . /bin/bash -ec "$1"
