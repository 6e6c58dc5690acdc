fn main() -> std::process::ExitCode {
    socket::socket_connect::main()
}
