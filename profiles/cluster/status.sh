# What became of a job, for Snakemake: `success`, `failed` or `running`. Read by the status.sh of a profile, which says
# by `known` whether the scheduler has the job in its queue. A job that ends leaves its exit status in a file; one that
# was killed leaves nothing. The scheduler is asked once a minute for each job, and a job that it does not know has two
# minutes for its file to be seen here.
file=.snakemake/cluster/$1
now=$(date +%s)
pause=${CLUSTER_SECONDS_BETWEEN_QUERIES:-60}

if test -s "$file.exit"; then
    if test "$(cat "$file.exit")" = 0; then status=success; else status=failed; fi
elif test $((now - $(cat "$file.asked" 2> /dev/null || echo 0))) -lt "$pause"; then
    status=running
else
    echo "$now" > "$file.asked"
    if known "$1"; then
        rm -f "$file.gone"
        status=running
    elif test -e "$file.gone"; then
        status=failed
    else
        touch "$file.gone"
        status=running
    fi
fi
test $status = running || rm -f "$file.exit" "$file.asked" "$file.gone"
echo $status
