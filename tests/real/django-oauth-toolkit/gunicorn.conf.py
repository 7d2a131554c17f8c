control_socket_disable = True
threads = 8


def post_worker_init(_):
    print("ready", flush=True)
