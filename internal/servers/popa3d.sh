# popa3d, one process a session: as a daemon it knows port 110 only.
getent passwd popa3d >/dev/null || useradd --system --no-create-home --user-group popa3d
mkdir -p /var/empty /var/lib/popa3d
chmod 755 /var/empty
exec socat "TCP-LISTEN:$POP3_PORT,bind=127.0.0.1,reuseaddr,fork" EXEC:/usr/sbin/popa3d
