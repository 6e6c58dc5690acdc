fn main() -> std::process::ExitCode {
    users::unblock_user::main()
}
