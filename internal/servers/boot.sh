# The first process of a box: makes a private root, moves into it and runs the
# script $1 there, which should not end. Where that is not allowed it exits 77.
# In: DIR, the server's folder on the machine; STATE, where it is in the box;
# LAYER, the folder of the unpacked packages, or empty.
trap 'exit 77' ERR
ns=$DIR/root
mkdir -p "$ns"
mount -t tmpfs -o mode=755 postbag "$ns"
mkdir "$ns/up" "$ns/work" "$ns/root"
mount -t overlay postbag -o "lowerdir=/,upperdir=$ns/up,workdir=$ns/work" "$ns/root"
cd "$ns/root"
mount -t proc proc proc
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 dev dev
for d in null zero full random urandom; do
  : >"dev/$d"
  mount --bind "/dev/$d" "dev/$d"
done
mkdir -p ".$STATE"
mount --bind "$DIR" ".$STATE"
mount -t tmpfs -o mode=755 mail ".$STATE/mail" # the fastest disk there is
trap - ERR

if [ -n "$LAYER" ]; then
  # A copy: overlayfs takes no layer that lies in another one. /lib is a link.
  set -o pipefail
  tar -C "$LAYER" -cf - . | tar -xf - --keep-directory-symlink
fi
mkdir -m 1777 dev/shm
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/2 dev/stderr
ln -s "$STATE/syslog" dev/log
echo mail.example.com >proc/sys/kernel/hostname
rm -f etc/hosts etc/nsswitch.conf etc/resolv.conf # no name lookups
echo '127.0.0.1 localhost mail.example.com' >etc/hosts
printf '%s: files\n' passwd group shadow hosts services protocols >etc/nsswitch.conf
exec chroot . /bin/bash -ec "$1"
